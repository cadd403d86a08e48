//===- PartsTest.cpp - a module cut into parts is the same functions, each once -------------------===//
#include "compiler/codegen/Parts.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

using namespace mlir;

namespace {

/// `count` internal functions of `ops` additions; each but the first calls the first. A table names the last.
std::string moduleOf(int count, int ops) {
  std::string text = "llvm.mlir.global internal constant @table() : !llvm.ptr {\n"
                     "  %p = llvm.mlir.addressof @f" +
                     std::to_string(count - 1) + " : !llvm.ptr\n  llvm.return %p : !llvm.ptr\n}\n";
  for (int i = 0; i < count; ++i) {
    text += "llvm.func internal @f" + std::to_string(i) + "(%x: i64) {\n";
    for (int k = 0; k < ops; ++k)
      text += "  %" + std::to_string(k) + " = llvm.add %x, %x : i64\n";
    if (i > 0)
      text += "  llvm.call @f0(%x) : (i64) -> ()\n";
    text += "  llvm.return\n}\n";
  }
  return text;
}

/// The part of each function's body, by name.
std::map<std::string, size_t> homesOf(ArrayRef<OwningOpRef<ModuleOp>> parts) {
  std::map<std::string, size_t> homes;
  for (size_t i = 0; i < parts.size(); ++i)
    for (auto function : ModuleOp(*parts[i]).getOps<LLVM::LLVMFuncOp>())
      if (!function.isExternal()) {
        CHECK(homes.count(function.getSymName().str()) == 0);
        homes[function.getSymName().str()] = i;
      }
  return homes;
}

struct Cut {
  MLIRContext context;
  Cut() { context.loadDialect<LLVM::LLVMDialect>(); }
  SmallVector<OwningOpRef<ModuleOp>> operator()(int count, int ops) {
    auto module = parseSourceString<ModuleOp>(moduleOf(count, ops), &context);
    REQUIRE(module);
    return sinter::codegen::cutIntoParts(*module);
  }
};

} // namespace

TEST_CASE("a large module becomes parts of about equal size, each a module of its own") {
  Cut cut;
  auto parts = cut(40, 1000);
  REQUIRE(parts.size() == 10);
  for (const auto &part : parts)
    CHECK(succeeded(verify(*part)));
  const auto homes = homesOf(parts);
  CHECK(homes.size() == 40);
  std::map<size_t, int> functions;
  for (const auto &[name, part] : homes)
    ++functions[part];
  for (const auto &[part, count] : functions)
    CHECK(count == 4);
}

TEST_CASE("what another part uses is declared there, and hidden from other programs") {
  Cut cut;
  auto parts = cut(40, 1000);
  auto callee = parts[0]->lookupSymbol<LLVM::LLVMFuncOp>("f0");
  REQUIRE(callee);
  CHECK(callee.getLinkage() == LLVM::Linkage::External);
  CHECK(callee.getVisibility_() == LLVM::Visibility::Hidden);
  auto declaration = parts[9]->lookupSymbol<LLVM::LLVMFuncOp>("f0");
  REQUIRE(declaration);
  CHECK(declaration.isExternal());
  CHECK(declaration.getVisibility_() == LLVM::Visibility::Hidden);
  // Of the table's part, too.
  auto inTable = parts[0]->lookupSymbol<LLVM::LLVMFuncOp>("f39");
  REQUIRE(inTable);
  CHECK(inTable.isExternal());
  // Nobody else asks for this one.
  auto alone = parts[5]->lookupSymbol<LLVM::LLVMFuncOp>("f20");
  REQUIRE(alone);
  CHECK(alone.getLinkage() == LLVM::Linkage::Internal);
}

TEST_CASE("a module is cut by what it holds alone") {
  Cut cut;
  CHECK(homesOf(cut(23, 700)) == homesOf(cut(23, 700)));
  CHECK(cut(3, 10).size() == 1);
}
