/** Whole training runs on the GPU against the reference: fused, an invocation to a stream. */
import { APART, TOGETHER } from "../../support/gpu-paths.ts";
import { testTraining } from "../../support/training-suite.ts";

testTraining([APART, TOGETHER]);
