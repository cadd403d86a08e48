//===- DataBlock.h - one data block on its way to a Data --------------------------------------===//
// Private to this folder. DataChecker.cpp goes through fields and parts, DataLoading.cpp reads sources and the arithmetic on
// them, DataFiles.cpp looks into files that are there already.
#pragma once

#include "compiler/semantics/DataChecker.h"
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/FileHeaders.h"

#include <map>
#include <string>
#include <vector>

namespace sinter::semantics {

/// A source of the language.
struct SourceEntry {
  Signature signature;
  bool planned = false; ///< of the language, not of this version
};

/// Null where there is none of this name.
const SourceEntry *findSource(const std::string &name);

/// Checks one data block.
class DataChecker {
public:
  DataChecker(Session &session, const syntax::DataDeclaration &declaration)
      : session(session), engine(session.engine), declaration(declaration), evaluator(session) {}

  CheckedData run();

private:
  //===-- DataChecker.cpp
  void declareFields();
  void checkPart(const syntax::PartStatement &part);
  void checkFill(const syntax::Fill &written, std::vector<Fill> &fills,
                 std::map<std::string, Span> &filled);
  void fillSeveral(const syntax::Fill &written, const syntax::CallExpr &call, Fill fill,
                   std::vector<Fill> &fills, std::map<std::string, Span> &filled);
  const Field *fieldToFill(const syntax::Name &name, std::map<std::string, Span> &filled);
  const Field *field(const std::string &name) const;
  void checkSplit(const syntax::SplitStatement &split);

  //===-- DataLoading.cpp
  bool load(const syntax::Expr &expr, const Field &field, Fill &fill);
  bool loadSource(const syntax::CallExpr &call, Fill &fill);
  bool loadColumns(const BoundArguments &bound, Source &source);
  bool loadStep(const syntax::Expr &step, const Field &field, Fill &fill);
  bool normalize(const syntax::Arguments &arguments, size_t skip, Span name, const Field &field,
                 Fill &fill);
  bool loadChain(const syntax::BinaryExpr &chain, const Field &field, Fill &fill);
  bool addOperation(syntax::BinaryOp op, double number, bool numberFirst, Span place,
                    const Field &field, Fill &fill);
  bool containsSource(const syntax::Expr &expr) const;

  //===-- DataFiles.cpp
  void checkHeaders(const std::vector<Fill> &fills);
  void checkIdx(const Fill &fill, const Field &field, int64_t &records, Span &recordsOf);
  void checkCsv(const Fill &fill, const Field &field);
  void reportHeader(const FileHeader &header, const Source &source);

  Session &session;
  syntax::Engine &engine;
  const syntax::DataDeclaration &declaration;
  Evaluator evaluator;
  CheckedData checked;
};

} // namespace sinter::semantics
