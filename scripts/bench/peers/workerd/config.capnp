using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "price", worker = .price)],
  sockets = [(name = "http", http = (), service = "price")]
);

const price :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "dist/price-worker.js")],
  compatibilityDate = "2026-11-17",
);
