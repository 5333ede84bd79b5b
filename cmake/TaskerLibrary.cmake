# How every target of this project is compiled, in one place.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

if(TASKER_SANITIZE)
  add_compile_options(-fsanitize=${TASKER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TASKER_SANITIZE})
endif()
if(TASKER_SANITIZE STREQUAL "thread")
  # Under this macro protobuf's headers lay messages out differently from the library, which was compiled without it.
  add_compile_options(-U__SANITIZE_THREAD__)
endif()
if(TASKER_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Warnings for code that people wrote (generated code is compiled without them).
function(tasker_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                           $<$<BOOL:${TASKER_WERROR}>:-Werror>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC bug 105651: false alarms inside std::string where text is put together with '+'.
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND TASKER_SANITIZE)
    # GCC's manual, -fsanitize: instrumented code gives false alarms of this one. The release build has it on.
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
  endif()
endfunction()

# tasker_library(NAME SOURCES a.cc … DEPS tasker::base … [PRIVATE_DEPS …])
# Makes the static library tasker_NAME, alias tasker::NAME. Headers are included from the repository's root
# ("lib/base/issue.h"). DEPS are what the public headers use, PRIVATE_DEPS only the sources.
function(tasker_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(tasker_${name} STATIC ${ARG_SOURCES})
  add_library(tasker::${name} ALIAS tasker_${name})
  target_include_directories(tasker_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(tasker_${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  tasker_warnings(tasker_${name})
endfunction()

# tasker_executable(NAME SOURCES … DEPS …): a program in build/<preset>/bin.
function(tasker_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  tasker_warnings(${name})
endfunction()
