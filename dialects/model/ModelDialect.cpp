//===- ModelDialect.cpp - registration, attributes of a net's arguments -----------------------===//
#include "dialects/model/ModelDialect.h"

#include "dialects/model/ModelOps.h"
#include "dialects/train/TrainOps.h"

using namespace mlir;
using namespace sinter::model;

#include "dialects/model/ModelDialect.cpp.inc"

void ModelDialect::initialize() {
  // A parameter's initializer is an attribute of the train dialect: it goes down unchanged.
  getContext()->loadDialect<train::TrainDialect>();
  addOperations<
#define GET_OP_LIST
#include "dialects/model/ModelOps.cpp.inc"
      >();
}

LogicalResult ModelDialect::verifyRegionArgAttribute(Operation *op, unsigned regionIndex,
                                                     unsigned argIndex, NamedAttribute attribute) {
  const StringRef name = attribute.getName().strref();
  if (!isa<NetOp>(op))
    return op->emitOpError() << "'" << name << "' says something of an argument of a model.net";
  if (name == "model.name" && isa<StringAttr>(attribute.getValue()))
    return success();
  if (name == "model.classes") {
    auto classes = dyn_cast<IntegerAttr>(attribute.getValue());
    if (classes && classes.getInt() > 0)
      return success();
  }
  return op->emitOpError() << "argument " << argIndex << ": '" << name
                           << "' must be a name (model.name) or a positive number (model.classes)";
}
