import type { Digest } from './digest.ts'
import type { Package, PackageKind } from './package.ts'

/** One entry of a layer's tar, with a path normalised to no leading slash and no `.` or `..`. */
export interface LayerFile {
  path: string
  type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo'
  mode: number
  uid: number
  gid: number
  sizeBytes: number
  /** Seconds since 1970. */
  mtime: number
  /** Target of a symbolic or hard link; a hard link's is normalised like `path`. */
  link?: string
  /** Hex, of a regular file. */
  sha256?: string
}

/** What most ask of an entry. */
export type LayerOutline = Pick<LayerFile, 'path' | 'type' | 'sizeBytes' | 'link'>

/** Files in the order of the archive: an array, or something that takes less room. */
export interface LayerFiles extends Iterable<LayerFile> {
  readonly length: number
}

/** A database or file that we recognise and have no extractor for. */
export interface Unsupported {
  /** The field's word for it: `rpm`, `pacman` … */
  kind: string
  path: string
  /** A program or library that stands for itself (a jar, a gem), not the database of a distribution. */
  component?: true
  /** What is told of it, for people: `spring-core 5.3.20 by its manifest`. */
  name?: string
  /** As in Package. */
  within?: string
  /** Hex, of the archive: a data set of hashes may know it. */
  sha1?: string
  /** DiffID of the layer that brought it, in the inventory of an image. */
  layer?: Digest
}

/** A list of the files of one distribution package, kept beside the database: dpkg's `info/NAME.list`. */
export interface FoundOwnership {
  location: string
  packageName: string
  architecture?: string
  /** Without a leading slash. */
  paths: string[]
}

/** What an application, or a file of its package manager, says of the packages beside it. */
export interface FoundManifest {
  location: string
  kind: PackageKind
  /** Names that the application itself asks for; an alias by the alias. */
  direct?: string[]
  /** The same, for building and testing. */
  directDev?: string[]
  /** Paths of folders whose packages are only for building and testing. */
  devFolders?: string[]
  /** Paths of archives that packages are used from as they are, unpacked nowhere. */
  archives?: string[]
  /** The licence of the package that it is kept for: an SPDX expression. */
  licence?: string
  /** Where the package beside it came from, as qualifiers of its package URL. */
  source?: Record<string, string>
}

/** What one package or fact was read from: the path decides whether a later layer removed it. */
export interface FoundPackage {
  /** The file that says so: it lives as long as this file does. */
  location: string
  package: Package
}

/** `/etc/os-release` or `/usr/lib/os-release`, parsed. */
export interface FoundRelease {
  location: string
  release: OsRelease
}

export interface OsRelease {
  id: string
  versionId?: string
  idLike: string[]
  codename?: string
  prettyName?: string
}

/** All that is kept of a layer, so that it is never read twice. Keyed by (diffId, extractor revision). */
export interface LayerFacts {
  /** SHA-256 of the uncompressed tar. */
  diffId: Digest
  /** Bytes of the uncompressed tar. */
  sizeBytes: number
  files: LayerFiles
  /** Paths that this layer removes from those below (`.wh.NAME`). */
  whiteouts: string[]
  /** Folders that hide everything below them in earlier layers (`.wh..wh..opq`). */
  opaque: string[]
  packages: FoundPackage[]
  /** Absent where there is none. */
  ownership?: FoundOwnership[]
  /** Absent where there is none. */
  manifests?: FoundManifest[]
  releases: FoundRelease[]
  unsupported: Unsupported[]
  /** What was wrong and where, for people; an entry that could not be read makes the image `unreadable`. */
  problems: string[]
}
