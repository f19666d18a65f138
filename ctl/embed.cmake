# cmake -D OUT=FILE -D "MIGRATIONS=a.sql;b.sql" -D "FUNCTIONS=c.sql;d.sql" -P embed.cmake: writes the
# files of schema/ as C data, so that the program alone can migrate. Migrations are called NNNN_name.sql.
function(to_bytes path out)
    file(READ ${path} hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    set(${out} "${bytes}" PARENT_SCOPE)
endfunction()

set(arrays "")
set(rows "")
foreach(path ${MIGRATIONS})
    get_filename_component(file ${path} NAME_WE)
    if(NOT file MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
        message(FATAL_ERROR "${path}: a migration is called NNNN_name.sql")
    endif()
    set(number ${CMAKE_MATCH_1})
    set(name ${CMAKE_MATCH_2})
    math(EXPR version "1${number} - 10000")
    to_bytes(${path} bytes)
    string(APPEND arrays "static const char sql_${number}[] = {${bytes}0};\n")
    string(APPEND rows "    {${version}, \"${name}\", {sql_${number}, sizeof sql_${number} - 1}},\n")
endforeach()

set(functions "")
foreach(path ${FUNCTIONS})
    to_bytes(${path} bytes)
    string(APPEND functions "${bytes}")
endforeach()

file(WRITE ${OUT}
    "#include \"ctl/migrations.h\"\n\n${arrays}static const char functions[] = {${functions}0};\n\n"
    "const struct migration migrations[] = {\n${rows}};\n"
    "const size_t n_migrations = sizeof migrations / sizeof migrations[0];\n"
    "const struct sql_text schema_functions = {functions, sizeof functions - 1};\n")
