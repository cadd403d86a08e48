// What the model floor prints, it reads: twice through is once through.
// RUN: sinter-opt %s -o %t.once && sinter-opt %t.once -o %t.twice && diff %t.once %t.twice
// RUN: FileCheck %s < %t.once

// CHECK: model.data @flowers seed 3
// CHECK-SAME: classes = 10 : i64
// CHECK-SAME: split {{{.*}}train = 8.000000e-01
// CHECK-SAME: keep {args = [{field = "label", op = "field"}, {op = "number", value = 5.000000e+00 : f64}], op = "<"}
// CHECK-SAME: take 100
// CHECK-SAME: augment [{fields = ["image"], steps = [{kind = "flip_horizontal", value = 5.000000e-01 : f64}]}]
model.data @flowers seed 3
  fields [{name = "image", type = tensor<2x8x8xf32>}, {classes = 10 : i64, name = "label", type = tensor<i32>}]
  parts {train = [{fields = ["image", "label"], file = "", kind = "synthetic", count = 64 : i64,
                   ops = [{kind = "normalize", mean = array<f64: 0.5>, std = array<f64: 0.25>}], place = ""}]}
  split {train = 0.8 : f64, valid = 0.0 : f64, test = 0.2 : f64}
  keep {op = "<", args = [{op = "field", field = "label"}, {op = "number", value = 5.0 : f64}]}
  take 100
  augment [{fields = ["image"], steps = [{kind = "flip_horizontal", value = 0.5 : f64}]}]

// CHECK: model.train @block of @Net on @flowers seed 7
model.train @block of @Net on @flowers seed 7 {
  // CHECK: model.param @conv.weight : tensor<4x2x3x3xf32> init <normal, {{.*}}> role "weight" also ["twin.weight"] chosen "he_normal"
  model.param @conv.weight : tensor<4x2x3x3xf32> init #train.init<normal, 0.0, 0.1> role "weight" also ["twin.weight"] chosen "he_normal"
  // CHECK: model.buffer @norm.running_mean
  model.buffer @norm.running_mean : tensor<4xf32> init #train.init<constant, 0.0, 0.0> role "buffer"
  // CHECK: model.net @Net(%{{.*}}: tensor<2x8x8xf32> {model.name = "image"}) -> (tensor<256xf32> {model.name = ""})
  model.net @Net(%image: tensor<2x8x8xf32> {model.name = "image"}) -> (tensor<256xf32> {model.name = ""}) {
    // CHECK: model.read @conv.weight
    %w = model.read @conv.weight : tensor<4x2x3x3xf32>
    // CHECK: model.conv2d
    %0 = model.conv2d %image, %w {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64}
       : (tensor<2x8x8xf32>, tensor<4x2x3x3xf32>) -> tensor<4x8x8xf32>
    // CHECK: model.dropout
    %1 = model.dropout %0 {p = 0.5 : f64, scale = "training", layer = "dropout1"} : tensor<4x8x8xf32>
    %2 = model.flatten %1 : (tensor<4x8x8xf32>) -> tensor<256xf32>
    // CHECK: model.return
    model.return %2 : tensor<256xf32>
  }
  // CHECK: model.stage @main batch 8 epochs 2.000000e+00 frozen ["norm.running_mean"]
  model.stage @main batch 8 epochs 2.0 frozen ["norm.running_mean"] attributes {keep_best = "valid.loss"} {
    // CHECK: model.field "image"
    %image = model.field "image" : tensor<2x8x8xf32>
    // CHECK: model.call @Net
    %y = model.call @Net(%image) : (tensor<2x8x8xf32>) -> tensor<256xf32>
    %m = model.mean %y {axes = array<i64: 0>, keep = false} : (tensor<256xf32>) -> tensor<f32>
    // CHECK: model.objective
    model.objective %m : tensor<f32>
    // CHECK: model.report "value" %{{.*}} upwards
    model.report "value" %m upwards : tensor<f32>
    // CHECK: model.regularize l1 0.000000e+00 l2 1.000000e-04 over [@conv.weight]
    model.regularize l1 0.0 l2 1.0e-4 over [@conv.weight]
    // CHECK: model.optimize "sgd" rate 1.000000e-01 schedule "cosine" over [@conv.weight]
    model.optimize "sgd" rate 0.1 schedule "cosine" over [@conv.weight] {momentum = 0.9 : f64, warmup = 10.0 : f64}
    // CHECK: model.clip "norm" 1.000000e+00
    model.clip "norm" 1.0
  }
}
