// What the fused kernels share: a workgroup carries TILE streams through many boxes. What a step does stands in
// records of the buffer `constants` (see fused-plan.ts), so one piece of code serves all matrices and all norms, and
// the compiler sees it once.
//
// With more invocations than streams (SHARE > 1), several work on a stream; between two steps all wait for each other,
// and see what the others wrote to the arena. With as many or fewer, each has OWN streams to itself, touches nothing of
// another's, and waits for nobody: software adapters then keep variables in registers, which they do not across a
// barrier, and are twice as fast.

const SHARE = max(LANES / TILE, 1);
const OWN = max(TILE / LANES, 1);

// Always 0, and no compiler knows it: loops that begin with it are not unrolled, which would cost software adapters'
// compilers a minute.
var<private> zero: u32;
var<private> lane: u32;
var<private> first: u32;     // the tile's first stream
var<private> count: u32;     // streams of the tile: fewer than TILE in the last one
var<private> part: u32;      // number of the invocation among those of its stream
var<private> stream: u32;    // the one that the invocation works on
var<private> lives: bool;    // the last tile may have fewer streams
// Of the uniform, what is used all over: asked for once, as compilers do not see that it could be.
var<private> pitch: u32;
var<private> dense_at: u32;

var<workgroup> largest: array<atomic<u32>, EXPONENTS>;
var<workgroup> partial: array<i32, LANES>;
var<workgroup> partial_second: array<i32, LANES>;

fn begin_tile(group: u32, index: u32) {
  zero = u32(control[AT_ZERO]);
  pitch = model.PITCH;
  dense_at = model.DENSE_AT;
  lane = index;
  first = group * TILE;
  count = min(u32(TILE), model.STREAMS - first);
  part = lane % SHARE + zero;
}

// Where a part of the arena starts: `words` is what a stream has before it.
fn place(words: u32) -> u32 { return pitch * words; }

fn take_stream(own: u32) {
  stream = first + lane / SHARE * OWN + own;
  lives = stream < model.STREAMS;
}

// Rows of matrices that an invocation multiplies: all of the tile's, or those of its own streams. First and number;
// beyond the last stream there are none, and the first is one that exists.
fn rows_of(rows_per_stream: u32) -> vec2<u32> {
  if (SHARE > 1) { return vec2<u32>(first, count) * rows_per_stream; }
  let begin = min(lane * OWN, count);
  return vec2<u32>(first + min(begin, count - 1u), min(u32(OWN), count - begin)) * rows_per_stream;
}

// How often it goes over a matrix for them, `each` rows at a time: where invocations load words together, as often as
// its neighbours do, even if it has no rows.
fn tasks_of(rows: u32, rows_per_stream: u32, each: u32) -> u32 {
  if (SHARE > 1) { return (rows + each - 1u) / each; }
  return (u32(OWN) * rows_per_stream + each - 1u) / each;
}

// A number of record `n` of the norms, of the kernel's products, and of its stages.
fn norm_field(n: u32, field: u32) -> u32 { return u32(constants[NORMS_AT + n * NORM_FIELDS + field]); }
fn product_field(m: u32, field: u32) -> u32 { return u32(constants[PRODUCTS_AT + m * PRODUCT_FIELDS + field]); }
fn stage_field(stage: u32, field: u32) -> u32 { return u32(constants[STAGES_AT + stage * STAGE_FIELDS + field]); }

// Between two steps, what one wrote is seen by the others of its stream, in the arena and in workgroup memory.
fn sync() {
  if (SHARE > 1) {
    storageBarrier();
    workgroupBarrier();
  }
}

// Two sums over a row that `share` invocations have parts of; this one is number `place` of them.
fn sums_of_row(mine: vec2<i32>, place: u32, share: u32) -> vec2<i32> {
  partial[lane] = mine.x;
  partial_second[lane] = mine.y;
  workgroupBarrier();
  var sums = vec2<i32>();
  for (var j = 0u; j < share; j++) { sums += vec2<i32>(partial[lane - place + j], partial_second[lane - place + j]); }
  workgroupBarrier();   // all have read
  return sums;
}

// Notes the largest magnitude of a exponent: for the workgroup first, if it waits for its end anyway.
fn note(exponent: u32, magnitude: u32) {
  if (SHARE > 1) {
    atomicMax(&largest[exponent], magnitude);
  } else if (magnitude > atomicLoad(&seen[exponent])) {
    atomicMax(&seen[exponent], magnitude);
  }
}

fn note_all() {
  if (SHARE == 1) { return; }
  workgroupBarrier();
  for (var exponent = lane; exponent < EXPONENTS; exponent += LANES) {
    let mine = atomicLoad(&largest[exponent]);
    if (mine > 0u) { atomicMax(&seen[exponent], mine); }
  }
}

// All stages of the kernel, which says by before_norms, norm, after_norms and multiply what each part does.
fn run_stages() {
  for (var stage = u32(control[AT_ZERO]); stage < STAGES; stage++) {
    for (var own = u32(control[AT_ZERO]); own < OWN; own++) {
      take_stream(own);
      if (lives) { before_norms(stage); }
    }
    if (TRAINS == 0u) { return; }
    sync();
    let norms_end = stage_field(stage, STAGE_NORMS_END);
    for (var n = stage_field(stage, STAGE_NORMS); n < norms_end; n++) { norm(n); }
    sync();
    for (var own = u32(control[AT_ZERO]); own < OWN; own++) {
      take_stream(own);
      if (lives) { after_norms(stage); }
    }
    sync();
    let products_end = stage_field(stage, STAGE_PRODUCTS_END);
    for (var m = stage_field(stage, STAGE_PRODUCTS); m < products_end; m++) { multiply(m); }
    sync();
  }
}
