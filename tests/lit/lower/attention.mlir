// Heads are a view: products read and write [batch, position, head, column], and nothing is transposed. Hidden scores are -∞ before
// the softmax; dropout draws by the layer's path while training and is gone elsewhere. A tied table lies as the look-up wants it.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.main.train
// CHECK-SAME: %[[W:[a-z0-9_.]+]]: tensor<7x6xf32> {train.owns = @w}
// CHECK-NOT: train.transpose
// CHECK: %[[X:.*]] = train.gather %[[W]] at %{{.*}} : tensor<7x6xf32>, tensor<4x5xi32> -> tensor<4x5x6xf32>
// CHECK: %[[S:.*]] = train.contract "bthd,bshd->bhts" %{{.*}}, %{{.*}} : (tensor<4x5x2x3xf32>, tensor<4x5x2x3xf32>) -> tensor<4x2x5x5xf32>
// CHECK: %[[M:.*]] = train.causal_mask %[[S]] : tensor<4x2x5x5xf32>
// CHECK: %[[P:.*]] = train.softmax %[[M]]
// CHECK: train.random "attention1"
// CHECK: train.contract "bhts,bshd->bthd" %{{.*}}, %{{.*}} : (tensor<4x2x5x5xf32>, tensor<4x5x2x3xf32>) -> tensor<4x5x2x3xf32>
// CHECK: train.contract "bAk,nk->bAn" %{{.*}}, %[[W]]
// CHECK-LABEL: train.step @t.main.eval
// CHECK-NOT: train.random
model.data @d seed 0 fields [{name = "x", type = tensor<5xi32>, classes = 7 : i64}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<7x6xf32> init #train.init<normal, 0.0, 1.0> role "embedding"
  model.net @Net(%x: tensor<5xi32> {model.name = "x"}) -> tensor<5x7xf32> {
    %w = model.read @w : tensor<7x6xf32>
    %0 = model.embedding %x, %w : (tensor<5xi32>, tensor<7x6xf32>) -> tensor<5x6xf32>
    %1 = model.attention %0, %0, %0 {heads = 2 : i64, causal = true, dropout = 0.5 : f64, layer = "attention1"}
      : (tensor<5x6xf32>, tensor<5x6xf32>, tensor<5x6xf32>) -> tensor<5x6xf32>
    %2 = model.dense %1, %w : (tensor<5x6xf32>, tensor<7x6xf32>) -> tensor<5x7xf32>
    model.return %2 : tensor<5x7xf32>
  }
  model.stage @main batch 4 epochs 1.0 {
    %x = model.field "x" : tensor<5xi32>
    %0 = model.call @Net(%x) : (tensor<5xi32>) -> tensor<5x7xf32>
    %e = model.cross_entropy %0, %x {axis = 1 : i64, smoothing = 0.0 : f64} : (tensor<5x7xf32>, tensor<5xi32>) -> tensor<f32>
    model.objective %e : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
