/**
 * The exports of kernels.wasm, written by `bun scripts/generate.ts` from assembly/, which documents each.
 * All parameters are addresses in the shared memory, counts or shifts.
 */
export interface Kernels {
  packPairs(x: number, pitch: number, columns: number, from: number, to: number, pairs: number, into: number): void;
  multiplyBackward(
    g: number,
    from: number,
    to: number,
    panels: number,
    outputs: number,
    panelFrom: number,
    panelTo: number,
    shift: number,
    out: number,
    scratch: number,
  ): void;
  multiplyForward(
    x: number,
    xPitch: number,
    from: number,
    to: number,
    panels: number,
    inputs: number,
    outputs: number,
    bias: number,
    biasShift: number,
    shift: number,
    wide: number,
    out: number,
    scratch: number,
  ): void;
  multiplyStreams(
    x: number,
    from: number,
    to: number,
    panels: number,
    side: number,
    shift: number,
    forward: number,
    out: number,
    scratch: number,
  ): void;

  beginTensor(
    ctx: number,
    left: number,
    moved: number,
    rate: number,
    copyShift: number,
    copyLimit: number,
    dither: number,
  ): void;
  seenGradient(ctx: number): number;
  seenWeight(ctx: number): number;

  sumRows(g: number, pairs: number, from: number, to: number, into: number): void;
  trainMatrix(
    ctx: number,
    g: number,
    x: number,
    pairs: number,
    from: number,
    to: number,
    outputs: number,
    inputs: number,
    state: number,
    forward: number,
    backward: number,
    scratch: number,
  ): void;
  trainStreams(
    ctx: number,
    g: number,
    x: number,
    pairs: number,
    from: number,
    to: number,
    side: number,
    state: number,
    forward: number,
    backward: number,
    acc: number,
  ): void;
  trainVector(
    ctx: number,
    gradient: number,
    parts: number,
    partBytes: number,
    count: number,
    master: number,
    stateBytes: number,
    copy: number,
    acc: number,
  ): void;

  normBackward(
    d: number,
    from: number,
    to: number,
    width: number,
    rowsLog2: number,
    moreShift: number,
    normalised: number,
    deviations: number,
    scale: number,
    shift: number,
    scaleSum: number,
    shiftSum: number,
    out: number,
    work: number,
  ): void;
  normForward(
    x: number,
    from: number,
    to: number,
    width: number,
    scale: number,
    shift: number,
    normalised: number,
    deviations: number,
    out: number,
    work: number,
  ): void;

  combineCoarse(
    up: number,
    gate: number,
    x: number,
    count: number,
    bias: number,
    skip: number,
    remembered: number,
    out: number,
  ): void;
  convolve(
    z: number,
    from: number,
    to: number,
    positions: number,
    width: number,
    tap: number,
    bias: number,
    out: number,
    work: number,
  ): void;
  gatherEmbedding(history: number, count: number, embedding: number, width: number, out: number): void;
  geglu(x: number, from: number, to: number, n: number, table: number, out: number, outPitch: number): void;
  geluSkip(x: number, y: number, count: number, skip: number, table: number, out: number): void;
  geluSkipWide(x: number, y: number, count: number, skip: number, table: number, out: number): void;
  lookUp(x: number, table: number, count: number, out: number): void;
  lookUpWide(x: number, table: number, count: number, out: number): void;
  mix(far: number, near: number, alpha: number, count: number, out: number): void;
  orderByAge(
    ring: number,
    from: number,
    to: number,
    slots: number,
    slotBytes: number,
    oldest: number,
    out: number,
  ): void;
  quantiseActivation(x: number, count: number, shift: number, out: number): number;

  addNewest(a: number, b: number, c: number, from: number, to: number, width: number, newest: number): void;
  addThree(a: number, b: number, c: number, count: number, out: number): void;
  addTwo(a: number, b: number, count: number, out: number): void;
  convolveBackward(
    d: number,
    z: number,
    from: number,
    to: number,
    positions: number,
    width: number,
    rowsLog2: number,
    tap: number,
    tapSum: number,
    biasSum: number,
    out: number,
    work: number,
  ): void;
  gateBackward(d: number, up: number, gate: number, count: number, dGate: number, dUp: number): void;
  gegluBackward(
    x: number,
    d: number,
    dPitch: number,
    from: number,
    to: number,
    n: number,
    values: number,
    slopes: number,
    out: number,
  ): void;
  quantiseGradient(x: number, count: number, shift: number, limit: number, out: number): number;
  routeBackward(
    d: number,
    far: number,
    near: number,
    alpha: number,
    count: number,
    dFar: number,
    dNear: number,
    dRouter: number,
  ): void;
  scatterEmbedding(
    history: number,
    count: number,
    a: number,
    b: number,
    width: number,
    dropped: number,
    sums: number,
  ): void;
  skipBackward(
    d: number,
    skipped: number,
    from: number,
    to: number,
    width: number,
    skip: number,
    rowsLog2: number,
    out: number,
  ): number;
  throughSlope(d: number, slope: number, count: number, out: number): void;

  cumulate(table: number, from: number, to: number, ends: number): void;
  frequencies(exponentials: number, logits: number, from: number, to: number, into: number): void;
  intervals(table: number, bytes: number, from: number, to: number, into: number): void;

  appendBytes(r: number, step: number, from: number, to: number, bytes: number): void;
  gatherPositions(r: number, step: number, from: number, to: number, positions: number, out: number): void;
  lookUpContexts(r: number, step: number, from: number, to: number, toPadded: number, work: number): void;

  addRecall(r: number, logits: number, from: number, to: number, work: number): void;
  gateGradients(r: number, difference: number, from: number, to: number, out: number): void;

  differ(frequencies: number, bytes: number, from: number, to: number): void;
  learnBoosts(r: number, difference: number, from: number, to: number): void;
  learnSlots(r: number, bytes: number, from: number, to: number, taken: number): void;
  learnTables(r: number, difference: number, from: number, to: number): void;

  peakDots(rounds: number): number;
}
