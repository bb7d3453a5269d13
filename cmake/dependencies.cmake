# What each component needs from other projects, for this build and for the installed package alike.
#
#   tessera    OpenMP if there is one
#   blip2      nlohmann_json, libpng, TurboJPEG, utf8proc
#
# TurboJPEG and utf8proc are looked up directly: Debian's come without CMake files.

# tessera_external(<name> <header> <library>): the imported target tessera::<name>
function(tessera_external name header library)
  if(TARGET tessera::${name})
    return()
  endif()
  find_path(TESSERA_${name}_INCLUDE_DIR ${header})
  find_library(TESSERA_${name}_LIBRARY ${library})
  mark_as_advanced(TESSERA_${name}_INCLUDE_DIR TESSERA_${name}_LIBRARY)
  if(NOT TESSERA_${name}_INCLUDE_DIR OR NOT TESSERA_${name}_LIBRARY)
    set(tessera_missing "${tessera_missing} ${name} (<${header}>)" PARENT_SCOPE)
    return()
  endif()
  add_library(tessera::${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(tessera::${name} SYSTEM INTERFACE "${TESSERA_${name}_INCLUDE_DIR}")
  target_link_libraries(tessera::${name} INTERFACE "${TESSERA_${name}_LIBRARY}")
endfunction()

# tessera_dependencies(<component>): makes the targets the component links to; names in tessera_missing what is not there
macro(tessera_dependencies component)
  set(tessera_missing "")
  if("${component}" STREQUAL "tessera")
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
    if(NOT TARGET PNG::PNG)
      find_package(PNG 1.6.32 QUIET GLOBAL)
      if(NOT PNG_FOUND)
        string(APPEND tessera_missing " libpng")
      endif()
    endif()
    tessera_external(turbojpeg turbojpeg.h turbojpeg)
    tessera_external(utf8proc utf8proc.h utf8proc)
  endif()
endmacro()
