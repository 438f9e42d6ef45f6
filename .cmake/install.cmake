# What is installed, for find_package, pkg-config and people; as components that become Debian packages.

# Debian's linker, pkg-config and CMake look into the folder of the architecture, in /usr as in /usr/local.
if(CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?$" AND CMAKE_LIBRARY_ARCHITECTURE AND EXISTS /etc/debian_version)
  set(CMAKE_INSTALL_LIBDIR lib/${CMAKE_LIBRARY_ARCHITECTURE} CACHE PATH "Object code libraries")
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(packages fovea_runtime fovea_development)
set(FOVEA_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/fovea)
set(generated ${PROJECT_BINARY_DIR}/install)

# --- the library ---------------------------------------------------------------------------------------------------
install(
  TARGETS fovea_shared
  EXPORT fovea-shared
  LIBRARY COMPONENT fovea_runtime NAMELINK_COMPONENT fovea_development
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(
  TARGETS fovea_static
  EXPORT fovea-static
  ARCHIVE COMPONENT fovea_development
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(
  DIRECTORY include/fovea
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT fovea_development)
install(
  DIRECTORY samples/
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libfovea-dev/examples
  COMPONENT fovea_development
  FILES_MATCHING PATTERN *.c PATTERN pictures EXCLUDE)
foreach(kind shared static)
  install(
    EXPORT fovea-${kind}
    NAMESPACE fovea::
    DESTINATION ${FOVEA_CMAKE_DIR}
    COMPONENT fovea_development)
endforeach()
configure_package_config_file(.cmake/fovea-config.cmake.in ${generated}/fovea-config.cmake INSTALL_DESTINATION
                              ${FOVEA_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${generated}/fovea-config-version.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${generated}/fovea-config.cmake ${generated}/fovea-config-version.cmake
  DESTINATION ${FOVEA_CMAKE_DIR}
  COMPONENT fovea_development)

# A prefix relative to the file's own folder, so that what was installed may be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE libdir)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_INCLUDEDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE includedir)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig OUTPUT_VARIABLE up)
list(JOIN FOVEA_REQUIRES ", " requires)
configure_file(.cmake/fovea.pc.in ${generated}/fovea.pc @ONLY)
install(
  FILES ${generated}/fovea.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT fovea_development)

# --- the command, its manual pages and completion --------------------------------------------------------------------
if(FOVEA_COMMAND)
  list(APPEND packages fovea_command)
  install(TARGETS fovea RUNTIME COMPONENT fovea_command)
  install(
    FILES tools/cli/completion.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    RENAME fovea
    COMPONENT fovea_command)
  # zsh looks into the first of these below /usr/local, into the other below /usr, as Debian has it.
  foreach(folder site-functions vendor-completions)
    install(
      FILES tools/cli/completion.zsh
      DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/${folder}
      RENAME _fovea
      COMPONENT fovea_command)
  endforeach()
  install(
    FILES tools/cli/completion.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
    RENAME fovea.fish
    COMPONENT fovea_command)
  # What --json prints.
  install(
    FILES tools/cli/output.schema.json
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fovea
    COMPONENT fovea_command)
  # The pages are made by running the command, so not for another machine.
  find_program(FOVEA_HELP2MAN help2man)
  if(NOT FOVEA_HELP2MAN OR CMAKE_CROSSCOMPILING)
    message(STATUS "No manual pages: help2man is not installed, or the command is for another machine")
  else()
    set(FOVEA_MAN ${PROJECT_BINARY_DIR}/man1)
    add_custom_command(
      OUTPUT ${FOVEA_MAN}/fovea.1.gz
      COMMAND tools/cli/pages.sh $<TARGET_FILE:fovea> ${PROJECT_DESCRIPTION} ${FOVEA_HELP2MAN} ${FOVEA_MAN}
      DEPENDS fovea tools/cli/pages.sh
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
      COMMENT "Making the manual pages"
      VERBATIM)
    add_custom_target(fovea_man ALL DEPENDS ${FOVEA_MAN}/fovea.1.gz)
    install(
      DIRECTORY ${FOVEA_MAN}
      DESTINATION ${CMAKE_INSTALL_MANDIR}
      COMPONENT fovea_command)
  endif()
endif()

if(PROJECT_IS_TOP_LEVEL)
  include(.cmake/package.cmake)
endif()
