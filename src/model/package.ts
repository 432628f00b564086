/** OSV ecosystem without its suffix, for the kinds that have a comparer here. */
export type PackageKind =
  | 'deb'
  | 'apk'
  | 'rpm'
  | 'alpm'
  | 'opkg'
  | 'npm'
  | 'pypi'
  | 'gem'
  | 'composer'
  | 'nuget'
  | 'conda'
  | 'cran'
  | 'maven'
  | 'golang'
  | 'cargo'
  | 'program'
  | 'bitnami'
  | 'hex'
  | 'otp'
  | 'pub'
  | 'swift'
  | 'luarocks'
  | 'wordpress'

export interface Package {
  kind: PackageKind
  /** As its own world spells it; PyPI names by PEP 503, npm names with their scope, Maven's as `group:artifact`, Swift's as `host/path`, WordPress' as `plugins/NAME`. */
  name: string
  version: string
  architecture?: string
  /** Source package (deb) or origin (apk) that advisories name; its version where that differs. */
  source?: { name: string; version: string }
  /** Where in its file it lies, where that is an archive: `BOOT-INF/lib/a.jar!/lib/b.jar`. In an image it is part of `location`. */
  within?: string
  licence?: string
  maintainer?: string
  /** Who built it, in the words of an rpm: what another than the distribution built is not judged by its advisories. */
  vendor?: string
  /** The label of an rpm that was built for a module stream: `nodejs:18:9040020240807131341:rhel9`. */
  modularity?: string
  /** ISO 8601, where the database says so. */
  installedAt?: string
  /** Files it owns, where its database says so: paths without a leading slash. Left out of stored evidence. */
  ownedFiles?: string[]
  /** Names of the packages of its own kind that it needs; an npm alias by the alias. Left out of stored evidence. */
  requires?: string[]
  /** A person or the application asked for it by name: its own records say so. Where they don't, an image's own graph may. */
  direct?: true
  /** Only for building or testing, by the records beside it; it is in the image all the same. */
  dev?: true
  /** What its package URL says besides: platform of a gem, build and channel of a conda package. */
  qualifiers?: Record<string, string>
  /** The commit that a Go program was built from, by its own stamp, and whether files were changed since. */
  vcs?: { revision: string; modified: boolean }
}

/** A package in an image, after the layers were laid over each other. */
export interface ImagePackage extends Package {
  purl: string
  /** The file that it was read from; inside of an archive, `opt/app.jar!/BOOT-INF/lib/a.jar`. */
  location: string
  /** DiffID of the layer that brought it. */
  layer: string
  /** The distribution package that owns `location`, where one does: then the distribution's advisories judge it. */
  ownedBy?: string
  /** Another than the distribution of the image built it: its advisories do not judge it, nor what it owns. */
  foreign?: true
  /** `NAME@VERSION` of the direct dependencies that brought it, the nearest first, at most five; none where it is one itself. */
  through?: string[]
}

/** What matching runs on: one row however many images hold it. */
export interface PackageVersion {
  /** OSV ecosystem with its suffix: `Debian:12`, `Alpine:v3.20`, `npm`, `PyPI`. */
  ecosystem: string
  /** The name that advisories use: the source package for Debian and Alpine. */
  name: string
  version: string
  /** `NAME:STREAM` of an rpm that was built for one. It goes with the version, so it is no part of what tells two apart. */
  module?: string
}
