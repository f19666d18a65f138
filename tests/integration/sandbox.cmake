# The real sendcode-sandbox, seen from outside. It needs no other server.
foreach(name api fault records receipts broker page)
    sc_integration_test(sandbox_${name}
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/sandbox/${name}_test.py)
endforeach()
