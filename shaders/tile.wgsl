// What the fused kernels share: a workgroup carries TILE streams through many boxes. LANES / TILE invocations belong to
// one stream; between two steps all wait for each other, and see what the others wrote to the arena. What a step does
// stands in records of the buffer `tables` (see fused-plan.ts), so one piece of code serves all matrices and all norms,
// and the compiler sees it once.

const SHARE = LANES / TILE;

var<private> lane: u32;
var<private> first: u32;     // the tile's first stream
var<private> count: u32;     // streams of the tile: fewer than TILE in the last one
var<private> part: u32;      // number of the invocation among those of its stream
var<private> stream: u32;
var<private> lives: bool;    // the last tile may have fewer streams

var<workgroup> largest: array<atomic<u32>, SLOTS>;
var<workgroup> partial: array<i32, LANES>;
var<workgroup> partial_high: array<u32, LANES>;
var<workgroup> partial_low: array<u32, LANES>;

fn begin_tile(group: u32, index: u32) {
  lane = index;
  first = group * TILE;
  count = min(u32(TILE), STREAMS - first);
  part = lane % SHARE;
  stream = first + lane / SHARE;
  lives = stream < STREAMS;
}

// A number of record `index` of the table at `table`.
fn record(table: u32, index: u32, fields: u32, field: u32) -> i32 { return tables[table + index * fields + field]; }

// Notes the largest magnitude of a slot: here first, and at the kernel's end for all.
fn note(slot: u32, magnitude: u32) { atomicMax(&largest[slot], magnitude); }

fn note_all() {
  workgroupBarrier();
  for (var slot = lane; slot < SLOTS; slot += LANES) {
    let mine = atomicLoad(&largest[slot]);
    if (mine > 0u) { atomicMax(&seen[slot], mine); }
  }
}
