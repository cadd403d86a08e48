// RUN: sinter-opt %s -split-input-file -verify-diagnostics
// Tasks, planned steps and aliases.

// expected-error @below {{(C1) must take the arena and the state block}}
kernel.task @t {
^bb0(%arena: memref<128xi8>):
}

// -----
// expected-error @below {{(C2) must hold exactly one loop op, holds 0}}
kernel.task @t {
^bb0(%arena: memref<128xi8>, %state: memref<64xi8>):
}

// -----
// expected-error @below {{(C1) @t must be a kernel.task}}
kernel.step @s "train" batch 4 arena 128 fields [] outputs [] results [] tasks [@t]

// -----
// expected-error @below {{(C2) fields 'x' lies at 0, outside the arena's 128 bytes behind the clock}}
kernel.step @s "train" batch 4 arena 128 fields [{name = "x", offset = 0 : i64}] outputs [] results [] tasks []

// -----
func.func @alias(%x: tensor<4x3xf32>) -> tensor<11xf32> {
  // expected-error @below {{(C1) both sides must have equally many elements of one type}}
  %y = kernel.alias %x : tensor<4x3xf32> -> tensor<11xf32>
  return %y : tensor<11xf32>
}
