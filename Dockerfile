# Builds with the compilers that better-sqlite3 needs; runs without them, as an ordinary user.
FROM node:20-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
RUN useradd --system --uid 10001 --home-dir /app supernode && mkdir data && chown supernode data
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/apps/cli/bin ./apps/cli/bin
USER supernode
VOLUME /app/data
EXPOSE 7123
# Whether the process runs: to start it anew helps nothing else. /health/ready says whether it takes requests.
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s CMD ["node", "-e", "fetch('http://127.0.0.1:7123/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# No shell and no npm between: signals come to the service itself.
CMD ["node", "--enable-source-maps", "dist/apps/supernode/src/main.js"]
