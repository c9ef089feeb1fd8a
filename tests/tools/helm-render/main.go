// Renders the chart's templates as Helm does, for machines without helm. Usage: helm-render CHART [KEY=VALUE]...
// where KEY is a dotted path into values.yaml and VALUE is YAML. Built without modules from Debian's packages golang-go,
// golang-github-masterminds-sprig-dev and golang-k8s-sigs-yaml-dev:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run main.go deploy/helm/serving
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: helm-render CHART [KEY=VALUE]..."))
	}
	chart := os.Args[1]
	values := readYaml(filepath.Join(chart, "values.yaml"))
	for _, assignment := range os.Args[2:] {
		assign(values, assignment)
	}

	// Chart.yaml's keys are lower case, the templates' are not.
	metadata := map[string]interface{}{}
	for key, value := range readYaml(filepath.Join(chart, "Chart.yaml")) {
		metadata[strings.ToUpper(key[:1])+key[1:]] = value
	}

	context := map[string]interface{}{
		"Values":  values,
		"Chart":   metadata,
		"Release": map[string]interface{}{"Name": "demo", "Namespace": "llm", "Service": "Helm", "IsInstall": true},
	}
	for _, rendered := range render(filepath.Join(chart, "templates"), context) {
		fmt.Println(rendered)
	}
}

func render(folder string, context map[string]interface{}) []string {
	root := template.New("chart").Option("missingkey=error")
	functions := sprig.TxtFuncMap()
	functions["include"] = func(name string, data interface{}) (string, error) {
		var text bytes.Buffer
		err := root.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	functions["toYaml"] = func(value interface{}) string {
		text, err := yaml.Marshal(value)
		fail(err)
		return strings.TrimSuffix(string(text), "\n")
	}
	functions["lookup"] = func(string, string, string, string) map[string]interface{} { return map[string]interface{}{} }
	functions["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	root.Funcs(functions)

	var names []string
	fail(filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		fail(err)
		name, _ := filepath.Rel(folder, path)
		_, err = root.New(name).Parse(string(text))
		fail(err)
		names = append(names, name)
		return nil
	}))

	sort.Strings(names)
	var rendered []string
	for _, name := range names {
		if strings.HasSuffix(name, ".tpl") {
			continue
		}
		var text bytes.Buffer
		fail(root.ExecuteTemplate(&text, name, context))
		if strings.HasSuffix(name, ".yaml") {
			rendered = append(rendered, "---\n# Source: "+name+"\n"+text.String())
		}
	}
	return rendered
}

func assign(values map[string]interface{}, assignment string) {
	parts := strings.SplitN(assignment, "=", 2)
	path := strings.Split(parts[0], ".")
	for _, key := range path[:len(path)-1] {
		values = values[key].(map[string]interface{})
	}
	var value interface{}
	fail(yaml.Unmarshal([]byte(parts[1]), &value))
	values[path[len(path)-1]] = value
}

func readYaml(path string) map[string]interface{} {
	text, err := os.ReadFile(path)
	fail(err)
	values := map[string]interface{}{}
	fail(yaml.Unmarshal(text, &values))
	return values
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "helm-render:", err)
		os.Exit(1)
	}
}
