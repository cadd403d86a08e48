//===- DataChecker.h - data declarations ---------------------------------------------------------------===//
#pragma once

#include "compiler/semantics/Session.h"

#include <set>

namespace sinter::semantics {

struct CheckedData {
  Data data;
  std::set<std::string> poisoned; ///< fields whose type was not understood
};

CheckedData checkData(Session &session, const syntax::DataDeclaration &declaration);

} // namespace sinter::semantics
