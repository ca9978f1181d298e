/** Whole training runs on the GPU against the reference: fused, several invocations to a stream. */
import { SHARED } from "../../support/gpu-paths.ts";
import { testTraining } from "../../support/training-suite.ts";

testTraining([SHARED]);
