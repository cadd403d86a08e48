// RUN: sinter show %s --floor llvm --no-locations | FileCheck %s

// What a task puts on its thread's stack, as the runtime is told: 36 matrices of windows and as many of results, a line further apart than
// their 16 floats, and what stands for positions outside of the image; each with the
// line that aligning it may take.
// CHECK: llvm.mlir.global internal constant @sinter_description("{{.*}}stack_bytes\22:9472,
kernel.task @convolve {
^bb0(%arena: memref<39040xi8>, %state: memref<64xi8>):
  %atX = arith.constant 64 : index
  %atU = arith.constant 1088 : index
  %atY = arith.constant 37952 : index
  %x = memref.view %arena[%atX][] : memref<39040xi8> to memref<1x4x4x16xf32>
  %u = memref.view %arena[%atU][] : memref<39040xi8> to memref<36x16x16xf32>
  %y = memref.view %arena[%atY][] : memref<39040xi8> to memref<1x4x4x16xf32>
  kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>)
    outs(%y : memref<1x4x4x16xf32>)
}
kernel.step @step "train" batch 1 arena 39040 fields [] outputs [] results [] tasks [@convolve]
