# One image per app: docker build --build-arg APP=gateway --tag flotilla/gateway:0.1.0 .
FROM node:24-slim AS build
WORKDIR /flotilla
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build
# Postgres and nats-server of `npm start` are optional packages: containers have their own. koffi's binary is one, too, but needed.
RUN mv node_modules/@koromix /koromix \
  && npm prune --omit=dev --omit=optional --ignore-scripts \
  && mv /koromix node_modules/@koromix

FROM node:24-slim
ARG APP
ENV NODE_ENV=production
# As for `npm start`: start/supervised-app.ts.
ENV MALLOC_ARENA_MAX=2
WORKDIR /flotilla
COPY --from=build /flotilla/package.json /flotilla/apps/${APP}/node.env ./
COPY --from=build /flotilla/node_modules ./node_modules
COPY --from=build /flotilla/dist/libs ./dist/libs
COPY --from=build /flotilla/dist/start ./dist/start
COPY --from=build /flotilla/dist/apps/${APP} ./dist/apps/${APP}
COPY --from=build /flotilla/dist/bundles/*.js* ./dist/bundles/
COPY --from=build /flotilla/dist/bundles/apps/${APP} ./dist/bundles/apps/${APP}
# For PRICING_ARCHIVE_DIR: a new volume takes the owner of what it hides.
RUN mkdir /archive && chown 1000 /archive
# By number, so that Kubernetes can see that it is not root.
USER 1000
WORKDIR /flotilla/dist/bundles/apps/${APP}/src
ENTRYPOINT ["node", "--env-file=/flotilla/node.env"]
CMD ["main.js"]
