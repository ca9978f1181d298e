/** Whole training runs on the GPU against the reference: a kernel to a box. */
import { BOXES } from "../../support/gpu-paths.ts";
import { testTraining } from "../../support/training-suite.ts";

testTraining([BOXES]);
