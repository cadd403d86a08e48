// Each constraint of train.scan, broken once.
// RUN: sinter-opt %s -split-input-file -verify-diagnostics

train.state @h : tensor<2x3xf32> kind "parameter" init <constant, 0.0, 0.0>
train.step @s kind "eval" (%x: tensor<4x5x3xf32> {train.data = "x"}, %h: tensor<2x3xf32> {train.reads = @h}) {
  // expected-error@below {{(C1) carried value 0 must have 4 rows, is 'tensor<2x3xf32>'}}
  %0 = train.scan over 5 sequences(%x : tensor<4x5x3xf32>) carried(%h : tensor<2x3xf32>) {
  ^bb0(%xt: tensor<4x3xf32>, %ht: tensor<2x3xf32>):
    train.next carried(%ht : tensor<2x3xf32>)
  } -> tensor<2x3xf32>
  train.commit
}

// -----

train.step @s kind "eval" (%x: tensor<4x5x3xf32> {train.data = "x"}, %h: tensor<4x3xf32> {train.data = "h"}) {
  // expected-error@below {{(C1) sequence 0 must be of 4 rows and 6 steps, is 'tensor<4x5x3xf32>'}}
  %0 = train.scan over 6 sequences(%x : tensor<4x5x3xf32>) carried(%h : tensor<4x3xf32>) {
  ^bb0(%xt: tensor<4x3xf32>, %ht: tensor<4x3xf32>):
    train.next carried(%ht : tensor<4x3xf32>)
  } -> tensor<4x3xf32>
  train.commit
}

// -----

train.step @s kind "eval" (%x: tensor<4x5x3xf32> {train.data = "x"}, %h: tensor<4x3xf32> {train.data = "h"}) {
  // expected-error@below {{(C2) argument 0 of the body is 'tensor<4x5x3xf32>', for 'tensor<4x5x3xf32>'}}
  %0 = train.scan over 5 sequences(%x : tensor<4x5x3xf32>) carried(%h : tensor<4x3xf32>) {
  ^bb0(%xt: tensor<4x5x3xf32>, %ht: tensor<4x3xf32>):
    train.next carried(%ht : tensor<4x3xf32>)
  } -> tensor<4x3xf32>
  train.commit
}

// -----

train.step @s kind "eval" (%x: tensor<4x5x3xf32> {train.data = "x"}, %h: tensor<4x3xf32> {train.data = "h"}) {
  // expected-error@below {{(C3) results must be}}
  %0 = train.scan over 5 sequences(%x : tensor<4x5x3xf32>) carried(%h : tensor<4x3xf32>) {
  ^bb0(%xt: tensor<4x3xf32>, %ht: tensor<4x3xf32>):
    train.next carried(%ht : tensor<4x3xf32>) kept(%xt : tensor<4x3xf32>)
  } -> tensor<4x3xf32>
  train.commit
}

// -----

train.step @s kind "eval" (%x: tensor<4x5x3xf32> {train.data = "x"}, %h: tensor<4x3xf32> {train.data = "h"}) {
  %0 = train.scan over 5 sequences(%x : tensor<4x5x3xf32>) carried(%h : tensor<4x3xf32>) {
  ^bb0(%xt: tensor<4x3xf32>, %ht: tensor<4x3xf32>):
    // expected-error@below {{(C4) must keep the 4 rows first in a train.scan}}
    %1 = train.sum %xt over [0] : tensor<4x3xf32> -> tensor<3xf32>
    %2 = train.broadcast %1 to [1] : tensor<3xf32> -> tensor<4x3xf32>
    train.next carried(%2 : tensor<4x3xf32>)
  } -> tensor<4x3xf32>
  train.commit
}

// -----

train.step @s kind "eval" (%x: tensor<4x5x3xf32> {train.data = "x"}, %w: tensor<4x3xf32> {train.data = "w"}) {
  %0 = train.scan over 5 sequences(%x : tensor<4x5x3xf32>) constants(%w : tensor<4x3xf32>) {
  ^bb0(%xt: tensor<4x3xf32>, %wt: tensor<4x3xf32>):
    // expected-error@below {{(C5) reads a constant of the scan, and is neither a contraction nor a view}}
    %1 = train.add %xt, %wt : tensor<4x3xf32>, tensor<4x3xf32> -> tensor<4x3xf32>
    train.next kept(%1 : tensor<4x3xf32>)
  } -> tensor<4x5x3xf32>
  train.commit
}

// -----

train.step @s kind "eval" (%x: tensor<4x5x5x3xf32> {train.data = "x"}) {
  %0 = train.scan over 5 sequences(%x : tensor<4x5x5x3xf32>) {
  ^bb0(%xt: tensor<4x5x3xf32>):
    // expected-error@below {{(C6) has no place in a train.scan}}
    %1 = train.scan over 5 sequences(%xt : tensor<4x5x3xf32>) {
    ^bb0(%xtt: tensor<4x3xf32>):
      train.next kept(%xtt : tensor<4x3xf32>)
    } -> tensor<4x5x3xf32>
    train.next kept(%1 : tensor<4x5x3xf32>)
  } -> tensor<4x5x5x3xf32>
  train.commit
}
