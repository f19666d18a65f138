# cmake -D OUT=FILE -D "SQL=a.sql;b.sql" -P embed.cmake: writes the migrations as a C table, so that
# the program alone can migrate. Files are called NNNN_name.sql.
set(arrays "")
set(rows "")
foreach(path ${SQL})
    get_filename_component(file ${path} NAME_WE)
    if(NOT file MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
        message(FATAL_ERROR "${path}: a migration is called NNNN_name.sql")
    endif()
    set(number ${CMAKE_MATCH_1})
    set(name ${CMAKE_MATCH_2})
    math(EXPR version "1${number} - 10000")
    file(READ ${path} hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(APPEND arrays "static const char sql_${number}[] = {${bytes}0};\n")
    string(APPEND rows "    {${version}, \"${name}\", sql_${number}, sizeof sql_${number} - 1},\n")
endforeach()
file(WRITE ${OUT}
    "#include \"ctl/migrations.h\"\n\n${arrays}\n"
    "const struct migration migrations[] = {\n${rows}};\n"
    "const size_t n_migrations = sizeof migrations / sizeof migrations[0];\n")
