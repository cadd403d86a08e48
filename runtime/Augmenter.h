//===- Augmenter.h - what happens to training examples each time they are fed ------------------===//
// Every draw is keyed by the run's seed, the step it is for, the epoch and the example, so it depends
// neither on the batch, nor on threads, nor on where training was resumed. Fills are zeros.
//   random_crop(n)      pads by n on every side and cuts a piece of the old size out, evenly
//   flip_…(p)           mirrors left and right, or up and down
//   random_rotation(d)  turns about the centre by an angle from [-d, d], each pixel from the nearest
//   random_erase(p)     clears a rectangle of 2 to 33 % of the area, its sides 0.3 to 3.3 to 1 (Zhong
//                       et al., "Random erasing data augmentation", AAAI 2020)
//   noise(s)            adds N(0, s²) to each number
#pragma once

#include "runtime/Description.h"

#include <cstdint>
#include <vector>

namespace sinter::runtime {

class Augmenter {
public:
  /// Of the data's augmentations those that change this field.
  Augmenter(const Data &data, const Field &field, uint64_t seed);

  bool empty() const { return steps.empty(); }

  /// Changes one example in place, [channels, height, width] or [height, width] of four bytes each;
  /// `scratch` has as much room. May be called from several threads.
  void apply(uint32_t epoch, uint32_t example, uint32_t *values, uint32_t *scratch) const;

private:
  struct Step {
    Augment::Kind kind;
    double value;
    uint32_t purpose;
  };
  struct Draws;

  void crop(const Draws &draws, int64_t padding, const uint32_t *from, uint32_t *to) const;
  void rotate(const Draws &draws, double degrees, const uint32_t *from, uint32_t *to) const;
  void flip(bool upDown, uint32_t *values) const;
  void erase(const Draws &draws, uint32_t *values) const;
  void addNoise(const Draws &draws, double std, uint32_t *values) const;

  std::vector<Step> steps;
  int64_t planes = 1, height = 1, width = 1;
  uint64_t seed;
};

} // namespace sinter::runtime
