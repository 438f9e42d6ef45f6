# Writes files as one C file: ARRAY[] of {name below FOLDER, text}, ended by {NULL, NULL}; HEADER declares it and its TYPE.
# cmake -DOUT=kernels.c "-DFILES=.../cl/a.cl;.../cl/common/b.clh" -DFOLDER=.../cl -DHEADER=runtime/kernels.h
#   -DTYPE=fovea_kernel_file -DARRAY=fovea_kernel_files -P embed.cmake
set(table "")
set(text "/* Made by cl/embed.cmake. */\n#include \"${HEADER}\"\n\n")
foreach(file ${FILES})
  file(RELATIVE_PATH name ${FOLDER} ${file})
  string(MAKE_C_IDENTIFIER "text_${name}" id)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(................................................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND text "static const unsigned char ${id}[] = {\n${hex}0x00};\n")
  string(APPEND table "  {\"${name}\", (const char *)${id}},\n")
endforeach()
string(APPEND text "\nconst ${TYPE} ${ARRAY}[] = {\n${table}  {0, 0}};\n")
file(WRITE ${OUT} "${text}")
