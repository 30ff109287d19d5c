/** Watt as it comes: it measures every request unless told otherwise. */
import { serveWatt } from '../watt/serve-watt.ts'

await serveWatt({})
