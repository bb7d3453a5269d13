# The installed package: headers, CMake package, pkg-config files.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(DIRECTORY include/tessera DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp"
        PATTERN "kernels.cpp")
target_sources(tessera_kernels INTERFACE
               $<INSTALL_INTERFACE:$<INSTALL_PREFIX>/${CMAKE_INSTALL_INCLUDEDIR}/tessera/kernel/kernels.cpp>)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Headers do not depend on the architecture, so everything goes to share/.
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/tessera)
install(TARGETS tessera tessera_kernels EXPORT tesseraTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT tesseraTargets NAMESPACE tessera:: DESTINATION ${package_dir})
foreach(component blip2 exact-images webp)
  install(TARGETS tessera_${component} EXPORT tessera-${component}Targets)
  install(EXPORT tessera-${component}Targets NAMESPACE tessera:: DESTINATION ${package_dir})
endforeach()
configure_package_config_file(cmake/tesseraConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/tesseraConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
# Before 1.0 a new minor version may change anything.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tesseraConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tesseraConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/tesseraConfigVersion.cmake
              cmake/dependencies.cmake
        DESTINATION ${package_dir})

foreach(name tessera tessera-blip2 tessera-exact-images tessera-webp)
  configure_file(cmake/${name}.pc.in ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
endforeach()
