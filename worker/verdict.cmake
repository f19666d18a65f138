# What the provider's answers mean; its table is made from the two .tsv files at build time.
set(verdict_table ${CMAKE_CURRENT_BINARY_DIR}/verdict/provider_verdict_table.inc)
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/verdict)
find_program(AWK NAMES awk mawk gawk REQUIRED)
add_custom_command(
    OUTPUT ${verdict_table}
    COMMAND ${AWK} -f ${CMAKE_CURRENT_SOURCE_DIR}/provider_verdict_table.awk
            ${CMAKE_CURRENT_SOURCE_DIR}/error-codes.tsv ${CMAKE_CURRENT_SOURCE_DIR}/error-rules.tsv
            > ${verdict_table}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${verdict_table}.new ${verdict_table}
    DEPENDS provider_verdict_table.awk error-codes.tsv error-rules.tsv
    COMMENT "Making the table of the provider's codes"
    VERBATIM)
add_library(sc_provider_verdict STATIC provider_verdict.c ${verdict_table})
target_include_directories(sc_provider_verdict PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/verdict)
target_link_libraries(sc_provider_verdict PUBLIC sc_flags)
