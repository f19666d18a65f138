# What `cmake --install` puts where, and the .deb that `cpack` makes of it (from the preset release).
# sendcodectl's own rule stands in ctl/. For staging use DESTDIR: with the prefix /usr the
# configuration belongs to /etc.
include(GNUInstallDirs)

configure_file(etc/sendcode-worker.service.in etc/sendcode-worker.service @ONLY)
configure_file(etc/sendcode-receiver.service.in etc/sendcode-receiver.service @ONLY)
file(GLOB documents CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/*.md)

install(TARGETS sendcode-worker sendcode-receiver sendcode-sandbox)
install(FILES docs/man/sendcode-worker.1 docs/man/sendcode-receiver.1 docs/man/sendcodectl.1
    docs/man/sendcode-sandbox.1
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/sendcode.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES etc/sendcode.conf DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/sendcode)
install(FILES ${PROJECT_BINARY_DIR}/etc/sendcode-worker.service
    ${PROJECT_BINARY_DIR}/etc/sendcode-receiver.service DESTINATION lib/systemd/system)
install(FILES etc/nginx-receipts.conf DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY schema DESTINATION ${CMAKE_INSTALL_DATADIR}/sendcode)
install(FILES README.md README.zh.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON) # for what goes to /etc
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "verification codes by SMS, from Kafka through Tencent Cloud")
set(CPACK_PACKAGE_CONTACT "The sendcode authors <sendcode@localhost>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS ca-certificates)
file(WRITE ${PROJECT_BINARY_DIR}/etc/conffiles
    "${CMAKE_INSTALL_FULL_SYSCONFDIR}/sendcode/sendcode.conf\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/etc/conffiles)
include(CPack)
