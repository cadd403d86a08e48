//===- SanitizerOptions.cpp - what AddressSanitizer is told -------------------------------------------===//
// LLVM's allocators mark memory as poisoned in headers, which we compile with the sanitizer, and unmark it in the library, which
// Debian compiles without: their marks are ignored. Everything else is checked.

extern "C" const char *__asan_default_options();
const char *__asan_default_options() { return "allow_user_poisoning=0"; }
