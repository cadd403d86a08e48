// RUN: sinter-opt %S/../Inputs/lenet.train.mlir -pass-pipeline='builtin.module(train.step(differentiate),train-to-kernel,train.step(cse,fuse-sweeps,fuse-epilogues,fuse-sweeps{after-epilogues},cse,choose-shares),plan-memory{print},verify-plan)' | FileCheck %s
// LeNet moves nothing but what it computes: all sixteen states are updated in place.

// CHECK: lenet.main: {{.*}}; copies 0 bytes; states in place 16;
// The dense weight's update is the epilogue of its gradient.
// CHECK: kernel.contract rows [3136] cols 512 sum [64] {{.*}} with({{.*}} : memref<3136x512xf32>, memref<3136x512xf32>) outs({{.*}} : memref<3136x512xf32>, memref<3136x512xf32>)
