/** The Fastify of this repository, also for servers whose own packages bring another. */
export { default as createApp } from 'fastify'
