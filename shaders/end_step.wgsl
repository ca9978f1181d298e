// end_step: moves the exponents, the step counter and the learning rate on to the next step.
//
//   held = max(seen, held / 2)      shift = max(0, bit_length(held) - bits)      copy shift = the old shift
//   gradient scales: rise at once, fall by one after a window of 64 steps below      docs/NUMERICS.md section 3
//
// In a step in which the network does not train (TRAINS = 0), only the activations' exponents and the steps move.
// One small workgroup: some dozens of numbers. It owns the buffer that all other kernels only read.

@group(0) @binding(0) var<storage, read_write> control: array<i32>;          // control numbers, see end_step
@group(0) @binding(1) var<storage, read_write> seen: array<atomic<u32>>;    // per exponent, then per tensor
@group(0) @binding(2) var<storage, read> rates: array<i32>;                 // learning rate per trained step, Q24

fn end_exponent(exponent: u32) {
  let held = max(i32(atomicExchange(&seen[exponent], 0u)), control[HELD + exponent] >> 1u);
  control[HELD + exponent] = held;
  control[COPY_SHIFTS + exponent] = control[exponent];
  control[exponent] = max(0, bit_length(u32(held)) - control[EXPONENT_BITS + exponent]);
}

fn end_tensor(tensor: u32, trained: i32, calibrating: bool) {
  let window_ends = (trained + 1) % FALL_STEPS == 0;
  let mine = i32(atomicExchange(&seen[EXPONENTS + tensor], 0u));
  let need = mine - NEED_BIAS - ALIGNED_BITS;
  let widest = max(control[WINDOW + tensor], mine);
  let old = control[SCALES + tensor];
  let falls = window_ends && widest - NEED_BIAS - ALIGNED_BITS < old;
  let next = select(select(old, old - 1, falls), need, calibrating || need > old);
  control[SCALES + tensor] = next;
  control[MOVED + tensor] = next - old;
  control[WINDOW + tensor] = select(widest, 0, window_ends || calibrating);
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  let trained = control[AT_TRAINED];
  let calibrating = control[AT_RATE] == 0;
  storageBarrier();
  workgroupBarrier();
  let exponents = select(u32(ACTIVATION_EXPONENTS), u32(EXPONENTS), TRAINS == 1u);
  for (var exponent = lane; exponent < exponents; exponent += 64u) { end_exponent(exponent); }
  if (lane == 0u) {
    control[AT_STEP] += 1;
    control[AT_CHUNK_STEP] += 1;
  }
  if (TRAINS == 0u) { return; }
  for (var tensor = lane; tensor < TENSORS; tensor += 64u) { end_tensor(tensor, trained, calibrating); }
  if (lane == 0u) {
    control[AT_TRAINED] = trained + 1;
    control[AT_RATE] = rates[min(u32(trained + 1), arrayLength(&rates) - 1u)];
  }
}
