{{- define "serving.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 48 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What Deployments and Services select by: never changes over the life of a release. */}}
{{- define "serving.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "serving.labels" -}}
{{ include "serving.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{- define "serving.image" -}}
{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
{{- end -}}

{{- define "serving.clusterSecretName" -}}
{{ .Values.clusterSecret.existingSecret | default (printf "%s-cluster" (include "serving.fullname" .)) }}
{{- end -}}

{{- define "serving.apiKeysName" -}}
{{ .Values.apiKeys.existingSecret | default (printf "%s-api-keys" (include "serving.fullname" .)) }}
{{- end -}}

{{- define "serving.redis" -}}
{{ .Values.redis.host | default (printf "%s-redis:6379" (include "serving.fullname" .)) }}
{{- end -}}

{{/* Pod-level settings that every host shares. Argument: dict "root" $ "role" the component's values. */}}
{{- define "serving.podSettings" -}}
terminationGracePeriodSeconds: {{ .role.terminationGracePeriodSeconds }}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1654
  runAsGroup: 1654
  fsGroup: 1654
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .role.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .role.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .role.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "serving.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/*
The hosts refuse a cluster secret that others than its owner may read, and Kubernetes mounts secrets for root with a readable group. So each
pod copies it into memory first, as its own. Argument: the root context.
*/}}
{{- define "serving.secretInit" -}}
initContainers:
  - name: cluster-secret
    image: {{ .Values.tools.image | quote }}
    command: ["sh", "-c", "umask 077 && cp -f /run/mounted/cluster-secret /run/serving/cluster/cluster-secret && chmod 400 /run/serving/cluster/cluster-secret"]
    resources:
      requests: { cpu: 10m, memory: 16Mi }
      limits: { memory: 16Mi }
    {{- include "serving.containerSecurity" . | nindent 4 }}
    volumeMounts:
      - name: cluster-secret-mounted
        mountPath: /run/mounted
        readOnly: true
      - name: cluster-secret
        mountPath: /run/serving/cluster
{{- end -}}

{{- define "serving.secretVolumes" -}}
- name: cluster-secret-mounted
  secret:
    secretName: {{ include "serving.clusterSecretName" . }}
    defaultMode: 0440
- name: cluster-secret
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
{{- end -}}

{{/* How a host finds the others and lets them in. Argument: dict "root" $ "role" the component's values. */}}
{{- define "serving.clusterEnv" -}}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: Cluster__Redis
  value: {{ include "serving.redis" .root | quote }}
- name: Cluster__SecretFile
  value: /run/serving/cluster/cluster-secret
- name: Cluster__ListenHost
  value: $(POD_IP)
- name: Cluster__AdvertiseHost
  value: $(POD_IP)
- name: Cluster__Port
  value: {{ .role.port | quote }}
# Streams get this long to finish; the rest of the pod's grace is for the process to end.
- name: Cluster__StopSecondsMax
  value: {{ sub .role.terminationGracePeriodSeconds 5 | quote }}
{{- end -}}

{{/* A worker: one Deployment. Argument: dict "root" $ "name" "prefill" "host" the program "role" its values. */}}
{{- define "serving.worker" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "serving.fullname" .root }}-{{ .name }}
  labels:
    {{- include "serving.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  replicas: {{ .role.replicas }}
  selector:
    matchLabels:
      {{- include "serving.selectorLabels" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .name }}
  template:
    metadata:
      labels:
        {{- include "serving.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
    spec:
      {{- include "serving.podSettings" . | nindent 6 }}
      {{- include "serving.secretInit" .root | nindent 6 }}
      containers:
        - name: {{ .name }}
          image: {{ include "serving.image" .root }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          command: ["/app/{{ .host }}"]
          env:
            {{- include "serving.clusterEnv" . | nindent 12 }}
            - name: Worker__Models__0__Path
              value: {{ .root.Values.model.path | quote }}
            - name: Worker__Models__0__Name
              value: {{ .root.Values.model.name | quote }}
            {{- if hasKey .role "kvPort" }}
            - name: Worker__KvPort
              value: {{ .role.kvPort | quote }}
            {{- end }}
            - name: Worker__MemoryBytes
              value: {{ .role.memoryBytes | int64 | quote }}
            {{- if .root.Values.model.weightCache.hostPath }}
            - name: Worker__WeightCache
              value: /var/cache/serving-weights
            {{- end }}
            {{- if eq .name "decode" }}
            # Hexadecimal, 64 MiB: how much garbage may gather before a collection, which holds every answer up.
            - name: DOTNET_GCgen0size
              value: "4000000"
            {{- end }}
            - name: Worker__Compute
              value: {{ .role.compute }}
            {{- if .role.threads }}
            - name: Worker__Threads
              value: {{ .role.threads | quote }}
            {{- end }}
          ports:
            - name: internal
              containerPort: {{ .role.port }}
            {{- if hasKey .role "kvPort" }}
            - name: kv
              containerPort: {{ .role.kvPort }}
            {{- end }}
          # The internal API is HTTP/2 without TLS, which httpGet cannot speak. It opens before the model is loaded; a worker enters the registry,
          # where the gateway looks, only when it is warm.
          startupProbe:
            tcpSocket:
              port: internal
            periodSeconds: 5
            failureThreshold: 24
          readinessProbe:
            tcpSocket:
              port: internal
            periodSeconds: 5
          livenessProbe:
            tcpSocket:
              port: internal
            periodSeconds: 10
            failureThreshold: 6
          resources:
            {{- toYaml .role.resources | nindent 12 }}
          {{- include "serving.containerSecurity" .root | nindent 10 }}
          volumeMounts:
            - name: cluster-secret
              mountPath: /run/serving/cluster
              readOnly: true
            - name: tmp
              mountPath: /tmp
            {{- if .root.Values.model.weightCache.hostPath }}
            - name: weights
              mountPath: /var/cache/serving-weights
            {{- end }}
            {{- if .root.Values.model.volume.existingClaim }}
            - name: models
              mountPath: {{ .root.Values.model.volume.mountPath }}
              readOnly: true
            {{- end }}
      volumes:
        {{- include "serving.secretVolumes" .root | nindent 8 }}
        - name: tmp
          emptyDir: {}
        {{- with .root.Values.model.weightCache.hostPath }}
        - name: weights
          hostPath:
            path: {{ . | quote }}
            type: Directory
        {{- end }}
        {{- with .root.Values.model.volume.existingClaim }}
        - name: models
          persistentVolumeClaim:
            claimName: {{ . }}
            readOnly: true
        {{- end }}
{{- end -}}
