//===- CompiledProgram.cpp - a module compiled and loaded into the test ---------------------------===//

#include "tests/numerics/CompiledProgram.h"

#include "compiler/codegen/Codegen.h"
#include "compiler/lower/TrainToKernel.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include <nlohmann/json.hpp>
#include <stdexcept>

using namespace mlir;

namespace sinter::tests {
namespace {

template <typename T> T check(llvm::Expected<T> value) {
  if (!value)
    throw std::runtime_error(llvm::toString(value.takeError()));
  return std::move(*value);
}
void check(llvm::Error error) {
  if (error)
    throw std::runtime_error(llvm::toString(std::move(error)));
}

} // namespace

CompiledProgram::CompiledProgram(ModuleOp original, const codegen::Target &target,
                                 unsigned threads) {
  OwningOpRef<ModuleOp> module(original.clone());
  std::string messages;
  ScopedDiagnosticHandler handler(module->getContext(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      messages += diagnostic.str() + "\n";
    return success();
  });
  PassManager manager(module->getContext());
  lower::buildTrainToKernelPipeline(manager);
  codegen::addKernelToLLVMPasses(manager, target);
  if (failed(manager.run(*module)))
    throw std::runtime_error(messages);
  TimingScope untimed;
  jit = check(llvm::orc::LLJITBuilder().create());
  for (const codegen::Object &object : check(codegen::emitObjects(*module, target, untimed)))
    check(jit->addObjectFile(
        llvm::MemoryBuffer::getMemBufferCopy(StringRef(object.data(), object.size()), "step")));
  program = check(jit->lookup("sinter_program")).toPtr<const runtime::Program *>();
  parsed = runtime::parseDescription({program->description, program->descriptionBytes});
  // The runtime binds fields to a run's data; a lone step has neither, so its fields are read from the text.
  const auto text =
      nlohmann::json::parse(std::string_view(program->description, program->descriptionBytes));
  for (const auto &step : text["steps"])
    for (const auto &field : step["fields"])
      fieldOffsets[step["name"].get<std::string>() + "." + field["name"].get<std::string>()] =
          field["offset"];
  arena.emplace(parsed->arenaBytes);
  states.emplace(parsed->stateBytes);
  useThreads(threads);
}

CompiledProgram::~CompiledProgram() = default;

size_t CompiledProgram::stepIndex(const std::string &name) const {
  for (size_t i = 0; i < parsed->steps.size(); ++i)
    if (parsed->steps[i].name == name)
      return i;
  throw std::runtime_error("no step " + name);
}

void CompiledProgram::run(const std::string &step) {
  executor->run(stepIndex(step), arena->data(), states->data());
}

void CompiledProgram::useThreads(unsigned threads) {
  executor = std::make_unique<runtime::TaskExecutor>(*parsed, *program, threads);
}

runtime::Clock &CompiledProgram::clock() {
  return *reinterpret_cast<runtime::Clock *>(arena->data());
}

template <typename T>
std::span<T> CompiledProgram::field(const std::string &step, const std::string &name,
                                    size_t elements) {
  return {reinterpret_cast<T *>(arena->data() + fieldOffsets.at(step + "." + name)), elements};
}
template std::span<float> CompiledProgram::field(const std::string &, const std::string &, size_t);
template std::span<int32_t> CompiledProgram::field(const std::string &, const std::string &,
                                                   size_t);
template std::span<int8_t> CompiledProgram::field(const std::string &, const std::string &, size_t);

float CompiledProgram::output(const std::string &step, const std::string &name) {
  for (const runtime::Output &output : parsed->steps[stepIndex(step)].outputs)
    if (output.name == name)
      return *reinterpret_cast<const float *>(arena->data() + output.offset);
  throw std::runtime_error("no output " + name);
}

std::span<const float> CompiledProgram::result(const std::string &step, const std::string &name) {
  const runtime::Step &mine = parsed->steps[stepIndex(step)];
  for (const runtime::Result &result : mine.results)
    if (result.name == name)
      return {reinterpret_cast<const float *>(arena->data() + result.offset),
              static_cast<size_t>(mine.batch * runtime::elementsOf(result.shape))};
  throw std::runtime_error("no result " + name);
}

std::span<float> CompiledProgram::state(const std::string &name) {
  for (const runtime::State &state : parsed->states)
    if (state.name == name)
      return {reinterpret_cast<float *>(states->data() + state.offset),
              static_cast<size_t>(state.elements())};
  throw std::runtime_error("no state " + name);
}

std::span<int32_t> CompiledProgram::ids(const std::string &step) {
  const runtime::Step &mine = parsed->steps[stepIndex(step)];
  if (!mine.ids)
    return {};
  return {reinterpret_cast<int32_t *>(arena->data() + *mine.ids), static_cast<size_t>(mine.batch)};
}

} // namespace sinter::tests
