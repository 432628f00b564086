/** OSV ecosystem without its suffix, for the kinds that have a comparer here. */
export type PackageKind = 'deb' | 'apk' | 'npm' | 'pypi'

export interface Package {
  kind: PackageKind
  /** As its own world spells it; PyPI names by PEP 503, npm names with their scope. */
  name: string
  version: string
  architecture?: string
  /** Source package (deb) or origin (apk) that advisories name; its version where that differs. */
  source?: { name: string; version: string }
  licence?: string
  maintainer?: string
  /** Files it owns, where its database says so: paths without a leading slash. Left out of stored evidence. */
  ownedFiles?: string[]
}

/** A package in an image, after the layers were laid over each other. */
export interface ImagePackage extends Package {
  purl: string
  /** The file that it was read from. */
  location: string
  /** DiffID of the layer that brought it. */
  layer: string
  /** The distribution package that owns `location`, where one does: then the distribution's advisories judge it. */
  ownedBy?: string
}

/** What matching runs on: one row however many images hold it. */
export interface PackageVersion {
  /** OSV ecosystem with its suffix: `Debian:12`, `Alpine:v3.20`, `npm`, `PyPI`. */
  ecosystem: string
  /** The name that advisories use: the source package for Debian and Alpine. */
  name: string
  version: string
}
