//===- ImageFolder.h - a folder with one folder of pictures for each class --------------------===//
#pragma once

#include "runtime/Records.h"

#include <string>
#include <vector>

namespace sinter::runtime {

/// Pictures as [channels, height, width]. One of another size is resized, or an error unless `resize`.
/// `name` is whose records they are. Throws DataError.
Records readPictures(const std::vector<std::string> &paths, const std::string &name,
                     const Shape &shape, bool resize, unsigned threads, const std::string &place);

/// All pictures beneath a folder, in sorted order.
std::vector<std::string> picturesIn(const std::string &folder, const std::string &place);

/// The pictures of a folder: the names of its folders are the classes, in sorted order; within each,
/// all pictures beneath it in sorted order. Names that begin with a point, and files that are no
/// pictures by their names, are passed over.
class ImageFolder {
public:
  /// Throws DataError where there is no folder, or none with a picture.
  ImageFolder(const std::string &path, const std::string &place);

  const std::vector<std::string> &classes() const { return names; }
  size_t count() const { return files.size(); }

  /// As readPictures.
  Records images(const Shape &shape, bool resize, unsigned threads) const;

  /// The number of each picture's class in `words`, sorted class names. Throws DataError for a class
  /// that is not there.
  Records labels(const std::vector<std::string> &words) const;

  const std::string path, place;

private:
  struct File {
    std::string path;
    size_t folder; ///< index into names
  };
  std::vector<std::string> names;
  std::vector<File> files;
};

} // namespace sinter::runtime
