# protobuf-c: Debian's libprotobuf-c-dev and protobuf-c-compiler, as the target PkgConfig::PROTOBUF_C.
include_guard()
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET GLOBAL libprotobuf-c)
find_program(FOVEA_PROTOC_C protoc-c REQUIRED)

# fovea_protobuf(TARGET FILE.proto): has the target compile it, and include its header as "FILE.pb-c.h".
function(fovea_protobuf target proto)
  cmake_path(ABSOLUTE_PATH proto)
  cmake_path(GET proto STEM stem)
  cmake_path(GET proto PARENT_PATH folder)
  set(made ${PROJECT_BINARY_DIR}/protobuf)
  file(MAKE_DIRECTORY ${made})
  add_custom_command(
    OUTPUT ${made}/${stem}.pb-c.c ${made}/${stem}.pb-c.h
    COMMAND ${FOVEA_PROTOC_C} --c_out=${made} -I ${folder} ${proto}
    DEPENDS ${proto}
    VERBATIM)
  target_sources(${target} PRIVATE ${made}/${stem}.pb-c.c ${made}/${stem}.pb-c.h)
  set_source_files_properties(${made}/${stem}.pb-c.c PROPERTIES COMPILE_OPTIONS -w) # not ours
  target_include_directories(${target} SYSTEM PRIVATE ${made})
  target_link_libraries(${target} PUBLIC PkgConfig::PROTOBUF_C)
endfunction()
