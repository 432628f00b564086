// Readers of SBOMs, in one place: a scan of anything else loads none of it.
export { mostSbomBytes } from '../../inventory/sbom/read/file.ts'
export { readSbom } from '../../inventory/sbom/read/read.ts'
