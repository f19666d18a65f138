# How everything of ours is compiled: link sc_flags, and nothing is directory-wide.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

option(SENDCODE_SANITIZE "address, undefined-behaviour and leak sanitizers" OFF)
option(SENDCODE_COVERAGE "gcov's counters" OFF)
option(SENDCODE_FUZZ "libFuzzer targets; needs clang" OFF)
option(SENDCODE_HARDEN "fortified, stack-protected, position-independent, relro" OFF)

add_library(sc_flags INTERFACE)
target_include_directories(sc_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(sc_flags INTERFACE _GNU_SOURCE)
target_compile_options(sc_flags INTERFACE
    -Werror -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual
    -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wnull-dereference -Wswitch-enum
    -fno-common
    # clang does not read the comments by which uthash.h says that it falls through.
    $<$<C_COMPILER_ID:GNU>:-Wimplicit-fallthrough -Wlogical-op -Wduplicated-cond
    -Wduplicated-branches>)

if(SENDCODE_SANITIZE)
    # gcc's own instrumentation makes it see null pointers and unset variables that are not there.
    target_compile_options(sc_flags INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
        -Wno-null-dereference -Wno-maybe-uninitialized)
    target_link_options(sc_flags INTERFACE -fsanitize=address,undefined)
endif()
if(SENDCODE_COVERAGE)
    target_compile_options(sc_flags INTERFACE --coverage)
    target_link_options(sc_flags INTERFACE --coverage)
endif()
if(SENDCODE_FUZZ)
    target_compile_definitions(sc_flags INTERFACE SENDCODE_PANIC_ABORTS)
    target_compile_options(sc_flags INTERFACE
        -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    target_link_options(sc_flags INTERFACE -fsanitize=address,undefined)
endif()
if(SENDCODE_HARDEN)
    target_compile_options(sc_flags INTERFACE
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection)
    target_link_options(sc_flags INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
