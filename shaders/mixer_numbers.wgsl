// What contexts of the bit mixer know of numbers: planes through neighbours in images, lines and guesses through
// samples of sound. docs/MIXER.md, "Contexts" and "The guess".
//
// Exact: i32 throughout. |gain * delta| is below 2^30, and a division's numerator is never -2^31 with a divisor of -1:
// energy and unit are positive.

var<private> stride: u32;
// The next sample, and by how much it was guessed to differ from the one before.
var<private> guess: i32;
var<private> guessed_delta: i32;
var<workgroup> taps: array<i32, TAP_COUNT>;
var<workgroup> deltas: array<i32, TAP_COUNT>;

// The bytes that planes are made of, so many places back: near ones, and those a stride further.
const NEAR = array<u32, 3>(1u, 3u, 4u);
const AT_STRIDE = 3u;
var<workgroup> near_bytes: array<u32, 7>;
// The last samples of all channels, the newest first: the tap i of a channel is the sample i, less the one before it.
const SAMPLES = TAP_COUNT + 2u;
var<workgroup> samples: array<i32, SAMPLES>;

// Before each byte of a block with a stride; a barrier follows.
fn bring_near_bytes(lane: u32) {
  for (var i = lane; i < 7u; i += LANES) {
    var o = stride;
    if (i < AT_STRIDE) { o = NEAR[i]; } else if (i > AT_STRIDE) { o += NEAR[i - AT_STRIDE - 1u]; }
    near_bytes[i] = past_byte(o);
  }
}

// Before each byte of sound; a barrier follows.
fn bring_samples(lane: u32) {
  for (var i = lane; i < SAMPLES; i += LANES) {
    let o = 2u + 2u * i + time % 2u;
    samples[i] = (i32(recent_byte(o) | (recent_byte(o - 1u) << 8u)) << 16u) >> 16u;
  }
}

fn as_byte(x: i32) -> u32 { return u32(clamp(x, 0, 255)); }

// The plane through three neighbours: left, above, and above to the left.
fn plane(left: u32, above: u32, corner: u32) -> u32 {
  return as_byte(i32(near_bytes[left]) + i32(near_bytes[above]) - i32(near_bytes[corner]));
}

// Samples from one to the next of its channel.
fn spacing() -> u32 { return select(1u, 2u, stride == 3u); }

// The n-th sample of this channel before the one that is on its way.
fn sample_before(n: u32) -> i32 { return samples[n * spacing() - 1u]; }

// Before a sample: what the guess of the last one teaches, and the next guess, by normalised least mean squares. All
// invocations come here; each takes its share of the taps.
fn guess_sample(lane: u32) {
  let error = samples[0] - samples[spacing()] - guessed_delta;
  var energy = 64;
  for (var i = 0u; i < TAP_COUNT; i++) { energy += i32(magnitude(deltas[i])); }
  let gain = clamp((error << 14u) / energy, -SAMPLE_MAX, SAMPLE_MAX);
  let unit = (energy >> 8u) + 1;
  workgroupBarrier();
  for (var i = lane; i < TAP_COUNT; i += LANES) {
    taps[i] = clamp(taps[i] + ((gain * deltas[i] / unit + 1) >> 1u), -TAP_MAX, TAP_MAX);
    deltas[i] = clamp(samples[i] - samples[i + spacing()], -SAMPLE_MAX, SAMPLE_MAX);
  }
  workgroupBarrier();
  var sum = 0;
  for (var i = 0u; i < TAP_COUNT; i++) { sum += (taps[i] >> 6u) * deltas[i]; }
  guessed_delta = sum >> 14u;
  guess = sample_before(1u) + guessed_delta;
}

// For a sample's lower byte what is expected of both, for its higher byte what is left of it.
fn sample_value(expected: i32, shift: u32) -> u32 {
  if (time % 2u == 1u) { return u32((expected - i32(last & 255u) + 16) >> 5u) & 65535u; }
  return (u32(expected >> shift) & 65535u) | 65536u;
}

fn sound_value(part: u32) -> u32 {
  let a = sample_before(1u);
  let b = sample_before(2u);
  switch (part) {
    case PART_SAMPLE1: { return sample_value(a, 4u); }
    case PART_SAMPLE2: { return sample_value(2 * a - b, 4u); }
    case PART_FINE2: { return sample_value(2 * a - b, 2u); }
    case PART_SAMPLE3: { return sample_value(3 * (a - b) + sample_before(3u), 4u); }
    case PART_COARSE_GUESS: { return sample_value(guess, 6u); }
    case PART_GUESS: { return sample_value(guess, 4u); }
    default: { return sample_value(guess, 2u); }
  }
}

fn number_value(part: u32) -> u32 {
  switch (part) {
    case PART_PHASE: { return time % select(4u, stride, stride >= 2u && stride <= 64u); }
    case PART_GRADIENT1: { return plane(0u, 3u, 4u); }
    case PART_GRADIENT3: { return plane(1u, 3u, 5u); }
    case PART_COLOUR: {
      return as_byte(i32(plane(1u, 3u, 5u)) + i32(near_bytes[0]) - i32(plane(2u, 4u, 6u)));
    }
    case PART_MEAN1: { return (near_bytes[0] + near_bytes[AT_STRIDE]) >> 1u; }
    case PART_MEAN3: { return (near_bytes[1] + near_bytes[AT_STRIDE]) >> 1u; }
    default: { return sound_value(part); }
  }
}
