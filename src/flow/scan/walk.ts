// What reads layers, in one place: a scan of layers that are known loads none of it.
export { extractorRevision } from '../../inventory/extractors.ts'
export { readLayer } from '../../inventory/layer.ts'
export { squash } from '../../inventory/squash.ts'
