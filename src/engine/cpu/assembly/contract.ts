/**
 * The contract's numbers for kernels, written by `bun scripts/generate.ts`: not to be changed by hand.
 *
 * They stand in src/contract, which says what each means.
 */
export const FINISH_MULTIPLIER_1: i32 = 2146121005;
export const FINISH_MULTIPLIER_2: u32 = 2221713035;
export const ACTIVATION_BITS: i32 = 10;
export const ACTIVATION_LIMIT: i32 = 32767;
export const BIAS_SHIFT: i32 = 14;
export const ENTRY_SHIFT: i32 = 10;
export const GEGLU_SHIFT: i32 = 12;
export const GRADIENT_LIMIT: i32 = 67108864;
export const HIDDEN_LIMIT: i32 = 4095;
export const MANTISSA_BITS: i32 = 22;
export const NORM_INPUT_BITS: i32 = 7;
export const NORM_INPUT_SHIFT: i32 = 3;
export const SCALE_BITS: i32 = 12;
export const SCALE_LIMIT: i32 = 32767;
export const SCALE_SHIFT: i32 = 12;
export const SLOPE_BITS: i32 = 14;
export const WEIGHT_LIMIT: i32 = 1073741824;
export const WIDE_LIMIT: i32 = 1048576;
export const FREQUENCY_TOTAL: i32 = 4194304;
export const DIFFERENCES: i32 = 16384;
export const ALIGNED_BITS: i32 = 21;
export const ALIGNED_LIMIT: i32 = 4194303;
export const INVERSE_ROOT_MAGIC: i32 = 24375;
export const MOMENT_DROP: i32 = 6;
export const MOMENT_SHIFT: i32 = 3;
export const RATIO_BITS: i32 = 12;
export const RATIO_GAIN: i32 = 4;
export const RATIO_LIMIT: i32 = 16383;
export const SQUARE_DROP: i32 = 8;
export const SQUARE_FRACTION: i32 = 2;
export const SQUARE_LIMIT: i32 = 1073741824;
export const SQUARE_SHIFT: i32 = 9;
export const ORDER_MAX: i32 = 32;
export const REACH: i32 = 8192;
export const BUCKETS: i32 = 33;
export const EFFECT_LOW_BITS: i32 = 7;
export const FEATURE_UNIT: i32 = 15;
export const GATED_RATE_SHIFT: i32 = 9;
export const MIX_MULTIPLIER: u32 = 2654435761;
export const OTHER_MAX: i32 = 7;
export const OWNER_BITS: i32 = 16;
export const RUN_MAX: i32 = 30;
export const TABLE_DIFFERENCE_SHIFT: i32 = 4;
export const TABLE_LOGIT_LIMIT: i32 = 16383;
export const TABLE_RIGHT_SHIFT: i32 = 10;

/** Bytes of a context's record in a plan, and where its fields stand: src/contract/contexts.ts. */
export const PLAN_RECORD: usize = 40;
export const PLAN_WORDS: usize = 0;
export const PLAN_ORDER: usize = 4;
export const PLAN_OFFSET_COUNT: usize = 8;
export const PLAN_OFFSETS: usize = 12;
export const PLAN_DIRECT: usize = 28;
export const PLAN_RATE: usize = 32;
export const PLAN_CROWD_SHIFT: usize = 36;

/** Where the fields of the recall stream's record stand: RECALL_FIELDS of src/engine/cpu/recall-layout.ts. */
export const CONTEXTS: usize = 0;
export const TABLES: usize = 4;
export const SLOT_BITS: usize = 8;
export const TABLE_BITS: usize = 12;
export const STREAMS: usize = 16;
export const ROWS: usize = 20;
export const GATE_COLUMNS: usize = 24;
export const BOOST_SHIFT: usize = 28;
export const PLAN: usize = 32;
export const PAST: usize = 36;
export const PAST_PITCH: usize = 40;
export const WORDS: usize = 44;
export const SLOTS: usize = 48;
export const ENTRIES: usize = 52;
export const BOOSTS: usize = 56;
export const BUCKET_OF: usize = 60;
export const HASHES: usize = 64;
export const FOUND: usize = 68;
export const TABLE_ROWS: usize = 72;
export const FEATURES: usize = 76;
export const GATES: usize = 80;
