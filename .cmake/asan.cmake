# cmake -C .cmake/asan.cmake -B build-asan
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(FOVEA_SANITIZE ON CACHE BOOL "")
