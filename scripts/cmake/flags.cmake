# How everything of ours is compiled: link sc_flags, and nothing is directory-wide.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_library(sc_flags INTERFACE)
target_include_directories(sc_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(sc_flags INTERFACE _GNU_SOURCE)
target_compile_options(sc_flags INTERFACE
    -Werror -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual
    -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wnull-dereference -Wswitch-enum
    -Wimplicit-fallthrough -fno-common
    $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond -Wduplicated-branches>)
