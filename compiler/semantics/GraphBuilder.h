//===- GraphBuilder.h - makes the operations of a Graph --------------------------------------===//
#pragma once

#include "compiler/semantics/Program.h"

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace sinter::semantics {

class GraphBuilder {
public:
  /// Adds an operation of one result.
  ValueId emit(std::string kind, std::vector<ValueId> operands, Attributes attributes, Type result,
               Place place, std::string path = {});
  /// `columns`: which results have the columns of `pairwise`.
  std::vector<ValueId> emitCall(const std::string &net, std::vector<ValueId> operands,
                                const std::vector<Type> &results, const std::vector<bool> &columns,
                                Place place);
  ValueId constant(double value, Place place);
  /// Adds an `update`, which has no result.
  void emitUpdate(const std::string &buffer, ValueId value, Place place);

  const Type &type(ValueId value) const { return graph.types[value]; }
  const Operation &maker(ValueId value) const { return graph.operations[facts[value].maker]; }
  Place place(ValueId value) const { return maker(value).place; }
  /// Whether the value differs between examples: an input or a random draw stands above it.
  bool varies(ValueId value) const { return facts[value].varies; }
  /// Whether its last axis is that of `pairwise`, with an element for each example of the batch: the
  /// last batch may have fewer.
  bool hasColumns(ValueId value) const { return facts[value].columns; }
  /// Of the first operation that takes such a value and is none that can; null where there is none.
  const Operation *misusesColumns() const;

  /// One number for all values that are equal because they are made alike of equal ones.
  ValueId canonical(ValueId value);

  Graph graph;
  std::string within; ///< of the operations to come
  int64_t batch = 32; ///< the stage's

private:
  using Form = std::tuple<std::string, std::vector<ValueId>, Attributes, size_t>;
  std::map<Form, ValueId> forms; ///< the first value of each form
  std::vector<ValueId> firsts;   ///< by ValueId, as far as they were asked for

  struct Fact {
    size_t maker;
    bool varies;
    bool columns = false;
  };
  bool keepsColumns(const Operation &operation) const;

  std::vector<Fact> facts; // by ValueId
};

} // namespace sinter::semantics
