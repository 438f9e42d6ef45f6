# Compiles every public header alone: cmake -DCC=gcc -DCXX=g++ -DINCLUDE=../include -P headers.cmake
file(GLOB headers ${INCLUDE}/fovea/*.h)
if(NOT headers)
  message(FATAL_ERROR "no headers in ${INCLUDE}/fovea")
endif()
set(as_c ${CC} -std=c11 -x c)
set(as_cxx ${CXX} -std=c++11 -x c++)
set(failed 0)
foreach(header IN LISTS headers)
  foreach(language as_c as_cxx)
    execute_process(
      COMMAND ${${language}} -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I ${INCLUDE} ${header}
      RESULT_VARIABLE status
      ERROR_VARIABLE errors)
    if(NOT status EQUAL 0)
      message("${header} does not compile alone ${language}:\n${errors}")
      math(EXPR failed "${failed} + 1")
    endif()
  endforeach()
endforeach()
if(failed)
  message(FATAL_ERROR "${failed} failed")
endif()
