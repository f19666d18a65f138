# Signatures, codes and digests against the vectors of others.
sc_unit_test(code_test SOURCES unit/code_test.c unit/vectors.c LIBS sc_crypto sc_json sc_common)
sc_unit_test(tc3_test SOURCES unit/tc3_test.c unit/vectors.c LIBS sc_crypto sc_json sc_common)
foreach(name code_test tc3_test)
    if(TARGET ${name})
        target_compile_definitions(${name} PRIVATE SENDCODE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    endif()
endforeach()
