// One canonical form, in one direction, and no place is lost when two ops become one.
// RUN: sinter-opt %s -canonicalize -mlir-print-debuginfo | FileCheck %s

train.step @s kind "eval" (%x: tensor<4x6xf32> {train.data = "x"}, %v: tensor<4xf32> {train.data = "v"}, %n: index {train.clock = "count"}) {
  %zero = train.constant dense<0.0> : tensor<f32>
  %one = train.constant dense<1.0> : tensor<f32>
  %two = train.constant dense<2.0> : tensor<f32>

  // What moves or changes nothing goes.
  %0 = train.neg %x : tensor<4x6xf32>
  %1 = train.neg %0 : tensor<4x6xf32>
  %2 = train.add %zero, %1 : tensor<f32>, tensor<4x6xf32> -> tensor<4x6xf32>
  %3 = train.sub %2, %zero : tensor<4x6xf32>, tensor<f32> -> tensor<4x6xf32>
  %4 = train.mul %3, %one : tensor<4x6xf32>, tensor<f32> -> tensor<4x6xf32>
  %5 = train.div %4, %one : tensor<4x6xf32>, tensor<f32> -> tensor<4x6xf32>
  %6 = train.reshape %5 : tensor<4x6xf32> -> tensor<4x6xf32>
  %7 = train.transpose %6 by [0, 1] : tensor<4x6xf32> -> tensor<4x6xf32>
  %8 = train.slice %7 at [0, 0] by [1, 1] : tensor<4x6xf32> -> tensor<4x6xf32>
  %9 = train.pad %8 at [0, 0] by [1, 1] with 0.0 : tensor<4x6xf32> -> tensor<4x6xf32>
  %10 = train.concat %9 along 0 : tensor<4x6xf32> -> tensor<4x6xf32>
  %11 = train.sum %10 over [] : tensor<4x6xf32> -> tensor<4x6xf32>
  %12 = train.broadcast %11 to [0, 1] : tensor<4x6xf32> -> tensor<4x6xf32>
  // CHECK: %[[MASKED:.*]] = train.mask_rows %x of %count : tensor<4x6xf32>
  // CHECK-NOT: train.mask_rows
  %13 = train.mask_rows %12 of %n : tensor<4x6xf32>
  %14 = train.mask_rows %13 of %n : tensor<4x6xf32>

  // Two views of a kind become one, at both their places.
  // CHECK: %[[TURNED:.*]] = train.transpose %{{.*}} by [2, 0, 1] : tensor<4x2x3xf32> -> tensor<3x4x2xf32> loc(#[[BOTH:.*]])
  %15 = train.reshape %14 : tensor<4x6xf32> -> tensor<24xf32>
  %16 = train.reshape %15 : tensor<24xf32> -> tensor<4x2x3xf32>
  %17 = train.transpose %16 by [1, 2, 0] : tensor<4x2x3xf32> -> tensor<2x3x4xf32> loc("first")
  %18 = train.transpose %17 by [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32> loc("second")
  // CHECK: train.broadcast %v to [1] : tensor<4xf32> -> tensor<3x4x2xf32>
  %19 = train.broadcast %v to [0] : tensor<4xf32> -> tensor<4x2xf32>
  %20 = train.broadcast %19 to [1, 2] : tensor<4x2xf32> -> tensor<3x4x2xf32>
  %21 = train.add %18, %20 : tensor<3x4x2xf32>, tensor<3x4x2xf32> -> tensor<3x4x2xf32>

  // A scalar is read as it is. 0 · x stays: x may be NaN.
  // CHECK: train.mul %{{.*}}, %{{.*}} : tensor<3x4x2xf32>, tensor<f32>
  // CHECK: train.mul %{{.*}}, %{{.*}} : tensor<3x4x2xf32>, tensor<f32>
  %22 = train.broadcast %two to [] : tensor<f32> -> tensor<3x4x2xf32>
  %23 = train.mul %21, %22 : tensor<3x4x2xf32>, tensor<3x4x2xf32> -> tensor<3x4x2xf32>
  %24 = train.mul %23, %zero : tensor<3x4x2xf32>, tensor<f32> -> tensor<3x4x2xf32>
  train.commit results ["y"] (%24 : tensor<3x4x2xf32>)
}
// CHECK-DAG: #[[FIRST:.*]] = loc("first")
// CHECK-DAG: #[[SECOND:.*]] = loc("second")
// CHECK: #[[BOTH]] = loc(fused[#[[FIRST]], #[[SECOND]]])
