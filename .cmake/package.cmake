# Debian packages: cpack -G DEB in the build folder.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fovea)
set(CPACK_PACKAGE_VENDOR "The Fovea authors")
set(CPACK_PACKAGE_CONTACT "The Fovea authors <maintainers@fovea.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL ${packages})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                                WORLD_EXECUTE)
# The kernels' compiler comes with a driver, of which there are many; any will do, and it may come later.
set(driver "pocl-opencl-icd | opencl-icd")
# The lines of each package's description, before the one that is its own.
set(about "Fovea trains convolutional autoencoders with attention on any OpenCL device,
a CPU or a GPU of any maker, and gives the same bits on each of them.")

set(library libfovea${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_FOVEA_RUNTIME_PACKAGE_NAME ${library})
set(CPACK_DEBIAN_FOVEA_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_FOVEA_RUNTIME_PACKAGE_RECOMMENDS ${driver})
file(WRITE ${generated}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_FOVEA_RUNTIME_PACKAGE_CONTROL_EXTRA ${generated}/triggers)
set(CPACK_DEBIAN_FOVEA_RUNTIME_DESCRIPTION "${PROJECT_DESCRIPTION}, library
${about}
This is the shared library.")

# It depends on what libfovea.a is linked with, too, since fovea.pc names that.
set(CPACK_DEBIAN_FOVEA_DEVELOPMENT_PACKAGE_NAME libfovea-dev)
set(CPACK_DEBIAN_FOVEA_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_FOVEA_DEVELOPMENT_PACKAGE_DEPENDS
    "${library} (= ${PROJECT_VERSION}), ocl-icd-opencl-dev, libclblast-dev, zlib1g-dev, libzip-dev, libpng-dev, libjpeg62-turbo-dev, libjansson-dev, liblapacke-dev")
if(FOVEA_WEBP_FOUND)
  string(APPEND CPACK_DEBIAN_FOVEA_DEVELOPMENT_PACKAGE_DEPENDS ", libwebp-dev")
endif()
if(with_onnx)
  string(APPEND CPACK_DEBIAN_FOVEA_DEVELOPMENT_PACKAGE_DEPENDS ", libprotobuf-c-dev")
endif()
set(CPACK_DEBIAN_FOVEA_DEVELOPMENT_DESCRIPTION "${PROJECT_DESCRIPTION}, development files
${about}
These are the headers, the static library, and what CMake and pkg-config read.")

set(CPACK_DEBIAN_FOVEA_COMMAND_PACKAGE_NAME fovea)
set(CPACK_DEBIAN_FOVEA_COMMAND_PACKAGE_SECTION science)
set(CPACK_DEBIAN_FOVEA_COMMAND_PACKAGE_RECOMMENDS ${driver})
set(CPACK_DEBIAN_FOVEA_COMMAND_DESCRIPTION "${PROJECT_DESCRIPTION}, command
${about}
This is the command: it trains, draws, experiments, and tests the device.")

# What Debian wants in each package: the licence and the changes.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${generated}/changelog "fovea (${PROJECT_VERSION}) unstable; urgency=medium

  * What is new stands at the end of README.md.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
execute_process(COMMAND gzip -9nf ${generated}/changelog COMMAND_ERROR_IS_FATAL ANY)
foreach(package ${packages})
  string(TOUPPER ${package} upper)
  set(folder ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  install(
    FILES LICENSE
    DESTINATION ${folder}
    RENAME copyright
    COMPONENT ${package})
  install(
    FILES ${generated}/changelog.gz
    DESTINATION ${folder}
    COMPONENT ${package}
    EXCLUDE_FROM_ALL)
endforeach()

include(CPack)
