# What each component needs from other projects, for this build and for the installed package alike.
#
#   tessera    <xsimd/xsimd.hpp>; OpenMP if there is one
#   blip2      nlohmann_json, stb, utf8proc
#
# Header locations are looked up directly: Debian's xsimd package declares a link to xtl that it does not need, and stb and
# utf8proc come without CMake files.

# tessera_external(<name> <header> [<library>]): the imported target tessera::<name>
function(tessera_external name header)
  if(TARGET tessera::${name})
    return()
  endif()
  find_path(TESSERA_${name}_INCLUDE_DIR ${header})
  mark_as_advanced(TESSERA_${name}_INCLUDE_DIR)
  set(found ${TESSERA_${name}_INCLUDE_DIR})
  if(ARGC GREATER 2)
    find_library(TESSERA_${name}_LIBRARY ${ARGV2})
    mark_as_advanced(TESSERA_${name}_LIBRARY)
    if(NOT TESSERA_${name}_LIBRARY)
      set(found FALSE)
    endif()
  endif()
  if(NOT found)
    set(tessera_missing "${tessera_missing} ${name} (<${header}>)" PARENT_SCOPE)
    return()
  endif()
  add_library(tessera::${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(tessera::${name} SYSTEM INTERFACE "${TESSERA_${name}_INCLUDE_DIR}")
  if(ARGC GREATER 2)
    target_link_libraries(tessera::${name} INTERFACE "${TESSERA_${name}_LIBRARY}")
  endif()
endfunction()

# tessera_dependencies(<component>): makes the targets the component links to; names in tessera_missing what is not there
macro(tessera_dependencies component)
  set(tessera_missing "")
  if("${component}" STREQUAL "tessera")
    tessera_external(xsimd xsimd/xsimd.hpp)
    if(NOT TARGET tessera::openmp)
      add_library(tessera::openmp INTERFACE IMPORTED GLOBAL)
      if(NOT DEFINED TESSERA_OPENMP OR TESSERA_OPENMP)
        find_package(OpenMP QUIET COMPONENTS CXX GLOBAL)
        if(OpenMP_CXX_FOUND)
          target_link_libraries(tessera::openmp INTERFACE OpenMP::OpenMP_CXX)
        endif()
      endif()
    endif()
  elseif("${component}" STREQUAL "blip2")
    if(NOT TARGET nlohmann_json::nlohmann_json)
      find_package(nlohmann_json 3.7 QUIET GLOBAL)
      if(NOT nlohmann_json_FOUND)
        set(tessera_missing " nlohmann_json")
      endif()
    endif()
    tessera_external(stb stb/stb_image.h)
    tessera_external(utf8proc utf8proc.h utf8proc)
  endif()
endmacro()
